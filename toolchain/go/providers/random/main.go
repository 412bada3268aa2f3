// Command random is the Pulumi resource plugin "random": the Terraform provider of random values behind
// Pulumi's bridge, under the tokens that the pulumi_random SDK uses.
package main

import (
	"context"

	pf "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/pf/tfbridge"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge/tokens"
	"github.com/terraform-providers/terraform-provider-random/shim"
)

// version is the SDK's version; the build sets it.
var version = "0.0.0"

func main() {
	info := tfbridge.ProviderInfo{
		P:            pf.ShimProvider(shim.NewProvider()),
		Name:         "random",
		Version:      version,
		MetadataInfo: tfbridge.NewProviderMetadata([]byte("{}")),
		// Newer upstream resources than the SDK knows would only be unreachable.
		IgnoreMappings: []string{"random_uuid4", "random_uuid7"},
	}
	name := func(module, resource string) (string, error) {
		return tokens.MakeStandard("random")(module, "Random"+resource)
	}
	info.MustComputeTokens(tokens.SingleModule("random_", "index", name))
	pf.Main(context.Background(), "random", info, pf.ProviderMetadata{PackageSchema: []byte(`{"name":"random"}`)})
}
