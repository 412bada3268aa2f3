// Package shim hands out the Docker provider, which upstream keeps internal: a package whose import path
// lies below upstream's own may import it.
package shim

import (
	"github.com/hashicorp/terraform-plugin-sdk/v2/helper/schema"
	"github.com/terraform-providers/terraform-provider-docker/internal/provider"
)

// NewProvider returns the Terraform provider for the Docker Engine.
func NewProvider(version string) *schema.Provider {
	return provider.New(version)()
}
