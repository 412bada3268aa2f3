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
			Tok: tfbridge.MakeResource("docker", "index/container", "Container"),
			Fields: map[string]*tfbridge.SchemaInfo{
				"command":           {Name: "command"},
				"networks_advanced": {Name: "networksAdvanced"},
			},
			// A container's name and its published ports are unique on an engine.
			DeleteBeforeReplace: true,
		},
		"docker_image": {
			Tok:    tfbridge.MakeResource("docker", "index/remoteImage", "RemoteImage"),
			Fields: map[string]*tfbridge.SchemaInfo{"name": {Name: "name"}},
		},
		"docker_registry_image": {
			Tok:    tfbridge.MakeResource("docker", "index/registryImage", "RegistryImage"),
			Fields: map[string]*tfbridge.SchemaInfo{"name": {Name: "name"}},
		},
		"docker_network": {Tok: tfbridge.MakeResource("docker", "index/network", "Network")},
		"docker_volume":  {Tok: tfbridge.MakeResource("docker", "index/volume", "Volume")},
		"docker_config":  {Tok: tfbridge.MakeResource("docker", "index/serviceConfig", "ServiceConfig")},
		"docker_secret":  {Tok: tfbridge.MakeResource("docker", "index/secret", "Secret")},
		"docker_service": {Tok: tfbridge.MakeResource("docker", "index/service", "Service")},
		"docker_plugin":  {Tok: tfbridge.MakeResource("docker", "index/plugin", "Plugin")},
		"docker_tag":     {Tok: tfbridge.MakeResource("docker", "index/tag", "Tag")},
	}
}

func dataSources() map[string]*tfbridge.DataSourceInfo {
	tokens := map[string][2]string{
		"docker_image":                    {"index/getRemoteImage", "getRemoteImage"},
		"docker_logs":                     {"index/getLogs", "getLogs"},
		"docker_network":                  {"index/getNetwork", "getNetwork"},
		"docker_plugin":                   {"index/getPlugin", "getPlugin"},
		"docker_registry_image":           {"index/getRegistryImage", "getRegistryImage"},
		"docker_registry_image_manifests": {"index/getRegistryImageManifests", "getRegistryImageManifests"},
	}
	infos := make(map[string]*tfbridge.DataSourceInfo, len(tokens))
	for name, token := range tokens {
		infos[name] = &tfbridge.DataSourceInfo{Tok: tfbridge.MakeDataSource("docker", token[0], token[1])}
	}
	return infos
}
