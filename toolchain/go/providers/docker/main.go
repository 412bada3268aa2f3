// Command docker is the Pulumi resource plugin "docker": the Terraform provider for the Docker Engine behind
// Pulumi's bridge, under the tokens and property names that the pulumi_docker SDK uses.
package main

import (
	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	sdkv2 "github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfshim/sdk-v2"
	"github.com/terraform-providers/terraform-provider-docker/shim"
)

// version is the SDK's version; the build sets it.
var version = "0.0.0"

func main() {
	tfbridge.Main("docker", version, providerInfo(), []byte(`{"name":"docker"}`))
}

func providerInfo() tfbridge.ProviderInfo {
	return tfbridge.ProviderInfo{
		P:              sdkv2.NewProvider(shim.NewProvider(version)),
		Name:           "docker",
		Version:        version,
		Resources:      resources(),
		DataSources:    dataSources(),
		IgnoreMappings: []string{"docker_buildx_builder"},
	}
}

func resources() map[string]*tfbridge.ResourceInfo {
	return map[string]*tfbridge.ResourceInfo{
		"docker_container": {
			Tok: tfbridge.MakeResource("docker", "index", "Container"),
			Fields: map[string]*tfbridge.SchemaInfo{
				"command":           {Name: "command"},
				"networks_advanced": {Name: "networksAdvanced"},
			},
			// A container's name and its published ports are unique on an engine.
			DeleteBeforeReplace: true,
		},
		"docker_image": {
			Tok:    tfbridge.MakeResource("docker", "index", "RemoteImage"),
			Fields: map[string]*tfbridge.SchemaInfo{"name": {Name: "name"}},
		},
		"docker_registry_image": {
			Tok:    tfbridge.MakeResource("docker", "index", "RegistryImage"),
			Fields: map[string]*tfbridge.SchemaInfo{"name": {Name: "name"}},
		},
		"docker_network": {Tok: tfbridge.MakeResource("docker", "index", "Network")},
		"docker_volume":  {Tok: tfbridge.MakeResource("docker", "index", "Volume")},
		"docker_config":  {Tok: tfbridge.MakeResource("docker", "index", "ServiceConfig")},
		"docker_secret":  {Tok: tfbridge.MakeResource("docker", "index", "Secret")},
		"docker_service": {Tok: tfbridge.MakeResource("docker", "index", "Service")},
		"docker_plugin":  {Tok: tfbridge.MakeResource("docker", "index", "Plugin")},
		"docker_tag":     {Tok: tfbridge.MakeResource("docker", "index", "Tag")},
	}
}

func dataSources() map[string]*tfbridge.DataSourceInfo {
	tokens := map[string]string{
		"docker_image":                    "getRemoteImage",
		"docker_logs":                     "getLogs",
		"docker_network":                  "getNetwork",
		"docker_plugin":                   "getPlugin",
		"docker_registry_image":           "getRegistryImage",
		"docker_registry_image_manifests": "getRegistryImageManifests",
	}
	infos := make(map[string]*tfbridge.DataSourceInfo, len(tokens))
	for name, token := range tokens {
		infos[name] = &tfbridge.DataSourceInfo{Tok: tfbridge.MakeDataSource("docker", "index", token)}
	}
	return infos
}
