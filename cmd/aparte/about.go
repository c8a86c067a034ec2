package main

import (
	"fmt"
	"runtime/debug"

	"aparte/signaling/api"
)

type openapiCommand struct{}

// Run prints the document that /api/v1/openapi.json serves.
func (openapiCommand) Run(p *process) error {
	document, err := api.OpenAPI()
	if err != nil {
		return fmt.Errorf("describe the API: %w", err)
	}
	_, err = p.stdout.Write(document)
	return err
}

type versionCommand struct{}

// Run prints what the Go linker knows of this binary.
func (versionCommand) Run(p *process) error {
	version, revision := built()
	if version == "" {
		version = "unknown"
	}
	if revision != "" {
		revision = " " + revision
	}
	_, err := fmt.Fprintf(p.stdout, "aparte %s%s\n", version, revision)
	return err
}

// built is what this binary was built from, as far as the Go linker knows.
func built() (version, revision string) {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "", ""
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			revision = s.Value
		}
	}
	return info.Main.Version, revision
}
