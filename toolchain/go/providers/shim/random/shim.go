// Package shim hands out the random provider, which upstream keeps internal: a package whose import path
// lies below upstream's own may import it.
package shim

import (
	"github.com/hashicorp/terraform-plugin-framework/provider"
	upstream "github.com/terraform-providers/terraform-provider-random/internal/provider"
)

// NewProvider returns the Terraform provider of random values that are kept in the state.
func NewProvider() provider.Provider {
	return upstream.New()
}
