package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func load(t *testing.T, yaml string, environ []string, dev bool) (Config, error) {
	t.Helper()
	path := ""
	if yaml != "" {
		path = filepath.Join(t.TempDir(), "aparte.yaml")
		if err := os.WriteFile(path, []byte(yaml), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return loadConfig(path, func() []string { return environ }, nil, dev)
}

func TestEnvironmentOverridesFile(t *testing.T) {
	c, err := load(t, "listen: 127.0.0.1:1\nmedia:\n  udp_port: 5000\n  addresses: [127.0.0.1, \"::1\"]\n",
		[]string{"APARTE_MEDIA_UDP_PORT=6000", "HOME=/root"}, false)
	if err != nil {
		t.Fatal(err)
	}
	want := defaults()
	want.Listen, want.Media.UDPPort, want.Media.Addresses = "127.0.0.1:1", 6000, []string{"127.0.0.1", "::1"}
	if !reflect.DeepEqual(c, want) {
		t.Errorf("got %+v, want %+v", c, want)
	}
}

func TestWhoIsHeardAndHowMuchIsSent(t *testing.T) {
	c, err := load(t, "", nil, false)
	if err != nil || !c.Media.Adaptation || c.Meetings.Microphones != 3 || c.Integration.Microphones != 0 {
		t.Errorf("by default: %+v %+v %+v, %v", c.Media, c.Meetings, c.Integration, err)
	}
	c, err = load(t, "integration: {microphones: 5}\n", []string{"APARTE_MEDIA_ADAPTATION=false", "APARTE_MEETINGS_MICROPHONES=0"}, false)
	if err != nil || c.Media.Adaptation || heard(c.Meetings.Microphones) != -1 || heard(c.Integration.Microphones) != 5 {
		t.Errorf("as set: %+v %+v %+v, %v", c.Media, c.Meetings, c.Integration, err)
	}
}

func TestQuotasAreSizes(t *testing.T) {
	dakar, rome := "gTmpFq3vQ0yvG2qfXy0Y1w", "hTmpFq3vQ0yvG2qfXy-_1w"
	c, err := load(t, fmt.Sprintf("recordings: {quota: 200GiB, post_quotas: {%s: 1.5 TB, %s: 0, default: 1GB}}\n", dakar, rome), nil, false)
	if err != nil {
		t.Fatal(err)
	}
	q := c.quotas()
	if q.For("paris") != 200<<30 || q.For(dakar) != 1_500_000_000_000 || q.For(rome) != 0 || q.For("default") != 1_000_000_000 {
		t.Errorf("read %+v", q)
	}
	if c, err = load(t, "", []string{"APARTE_RECORDINGS_QUOTA=5GB"}, false); err != nil || c.quotas().Each != 5_000_000_000 {
		t.Errorf("from the environment %+v, %v", c.quotas(), err)
	}
	if c, err = load(t, "", nil, false); err != nil || !c.quotas().None() {
		t.Errorf("by default %+v, %v", c.quotas(), err)
	}
}

func TestListsInTheEnvironment(t *testing.T) {
	c, err := load(t, "", []string{"APARTE_MEDIA_ADDRESSES=127.0.0.1,::1"}, false)
	if err != nil || len(c.Media.Addresses) != 2 {
		t.Errorf("got %v, %v; want two addresses", c.Media.Addresses, err)
	}
}

func TestWrongConfigurationIsOneLineThatNamesTheKey(t *testing.T) {
	for _, tc := range []struct {
		name, yaml string
		environ    []string
		want       string
	}{
		{"unknown key", "media:\n  udp_prot: 1\n", nil, `unknown setting "media.udp_prot"`},
		{"unknown top key", "listne: a:1\n", nil, `unknown setting "listne"`},
		{"unknown variable", "", []string{"APARTE_LISTNE=x"}, `environment: unknown setting "APARTE_LISTNE"`},
		{"not YAML", "listen: [", nil, "yaml: line 1"},
		{"no number", "media: {udp_port: many}\n", nil, "udp_port"},
		{"port too large", "media: {udp_port: 70000}\n", nil, "media.udp_port: 70000 is not a port"},
		{"TCP port too large", "media: {tcp_port: 70000}\n", nil, "media.tcp_port: 70000 is not a port"},
		{"certificate without key", "tls: {cert_file: a.pem}\n", nil, "tls.cert_file: a certificate needs its key"},
		{"an external address that is none", "media: {external_addresses: [127.0.0.1]}\n", nil, "media.external_addresses"},
		{"relay's port too large", "turn: {udp_port: 70000}\n", nil, "turn.udp_port: 70000 is not a port"},
		{"a port in the relay's host", "turn: {host: \"a.example:3478\"}\n", nil, "turn.host"},
		{"fewer than no microphones", "meetings: {microphones: -1}\n", nil, "meetings.microphones: -1 is below zero"},
		{"in integration rooms", "integration: {microphones: -2}\n", nil, "integration.microphones: -2 is below zero"},
		{"no yes or no", "media: {adaptation: perhaps}\n", nil, "adaptation"},
		{"no port", "listen: example.org\n", nil, `listen: "example.org" is not an address and port`},
		{"a path in the public address", "public_url: https://a.example/x\n", nil, "public_url"},
		{"any address", "media: {addresses: [0.0.0.0]}\n", nil, "media.addresses"},
		{"weak secret", "integration: {keys: {lab: short}}\n", nil, `integration.keys: the secret of "lab" has 5 characters`},
		{"the server's own key", "integration: {keys: {aparte-meeting: 0123456789012345678901234567890123456789}}\n", nil, `integration.keys: "aparte-meeting"`},
		{"webhook without key", "webhooks: {urls: [http://a.example/]}\n", nil, "webhooks.key: name the one"},
		{"webhook to nowhere", "webhooks: {urls: [a.example]}\nintegration: {keys: {lab: 0123456789012345678901234567890123456789}}\n", nil, `webhooks.urls: "a.example"`},
		{"unknown signing key", "webhooks: {key: other}\nintegration: {keys: {lab: 0123456789012345678901234567890123456789}}\n", nil, `webhooks.key: "other"`},
		{"no store", "recordings: {store: /srv}\n", nil, "recordings.store: it is not of the form s3://"},
		{"a store in plain text", "recordings: {store: \"s3://r?endpoint=http://s3.example\", store_keys_file: x}\n", nil, "use https, or say &plain=yes"},
		{"a secret in an address", "recordings: {store: \"s3://a:b@r\", store_keys_file: x}\n", nil, "credentials do not belong in an address"},
		{"a store without keys", "recordings: {store: \"s3://r\", store_access_key: a}\n", nil, "recordings.store_access_key: the store needs"},
		{"keys twice", "recordings: {store: \"s3://r\", store_access_key: a, store_keys_file: x}\n", nil, "recordings.store_keys_file: the keys are given as well"},
		{"keys without a store", "recordings: {store_secret_key: a}\n", nil, "recordings.store: is empty"},
		{"a quota that is no size", "recordings: {quota: plenty}\n", nil, `recordings.quota: "plenty" is not a size`},
		{"a quota below zero", "recordings: {quota: -1GiB}\n", nil, `recordings.quota: "-1GiB" is not a size`},
		{"a post's quota that is no size", "recordings: {post_quotas: {gTmpFq3vQ0yvG2qfXy0Y1w: much}}\n", nil, `recordings.post_quotas: "much" of "gTmpFq3vQ0yvG2qfXy0Y1w" is not a size`},
		{"a post's quota by its name", "recordings: {post_quotas: {Dakar: 1GB}}\n", nil, `recordings.post_quotas: "Dakar" is not the id of a post`},
		{"a post's quota by half its id", "recordings: {post_quotas: {gTmpFq3vQ0yvG2qfXy0Y1: 1GB}}\n", nil, `recordings.post_quotas: "gTmpFq3vQ0yvG2qfXy0Y1" is not the id of a post`},
		{"level", "log: {level: loud}\n", nil, "log.level"},
		{"two faults", "log: {level: loud, format: xml}\n", nil, "log.format"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := load(t, tc.yaml, tc.environ, false)
			if usage := (usageError{}); !errors.As(err, &usage) {
				t.Fatalf("got %v, want a usage error", err)
			}
			if text := err.Error(); !strings.Contains(text, tc.want) || strings.Contains(text, "\n") {
				t.Errorf("got %q, want one line with %q", text, tc.want)
			}
		})
	}
}

func TestDevelopmentKeysExistOnlyInDevelopment(t *testing.T) {
	c, err := load(t, "", nil, false)
	if err != nil || len(c.Integration.Keys) != 0 {
		t.Errorf("got keys %v, %v; want none", c.Integration.Keys, err)
	}
	c, err = load(t, "", nil, true)
	if err != nil || c.Integration.Keys["devkey"] != "secret" {
		t.Errorf("got keys %v, %v; want devkey", c.Integration.Keys, err)
	}
}

// The printed file must be what loading accepts: every line of it switched on
// gives the defaults again.
func TestPrintedConfigurationGivesTheDefaults(t *testing.T) {
	var b strings.Builder
	if err := printConfig(&b); err != nil {
		t.Fatal(err)
	}
	var yaml strings.Builder
	for line := range strings.Lines(b.String()) {
		if on, ok := strings.CutPrefix(line, "#"); ok && !strings.HasPrefix(on, " ") || strings.HasPrefix(line, "#  ") {
			yaml.WriteString(on)
		}
	}
	c, err := load(t, yaml.String(), nil, false)
	if err != nil {
		t.Fatalf("%v in\n%s", err, yaml.String())
	}
	for _, key := range []string{"udp_port: 7882", "listen: \"127.0.0.1:7880\""} {
		if !strings.Contains(yaml.String(), key) {
			t.Errorf("%s is missing in\n%s", key, yaml.String())
		}
	}
	c.Integration.Keys, c.Media.Addresses, c.Media.ExternalAddresses, c.Webhooks.URLs, c.Recordings.Recipients, c.Recordings.PostQuotas = nil, nil, nil, nil, nil, nil
	if want := defaults(); !reflect.DeepEqual(c, want) {
		t.Errorf("got %+v, want %+v", c, want)
	}
}
