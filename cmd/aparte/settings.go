package main

import (
	"fmt"
	"io"
	"reflect"
	"strings"

	"github.com/alecthomas/kong"
)

const envPrefix = "APARTE_"

// setting is one key of [Config], as read off the struct.
type setting struct {
	key     string // media.udp_port
	help    string
	value   any  // the default
	entries bool // a map: any name may follow the key
}

func (s setting) env() string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(s.key, ".", "_"))
}
func (s setting) flag() string { return strings.NewReplacer(".", "-", "_", "-").Replace(s.key) }

type settingList []setting

// settings walks [Config], so that a key is written down once.
func settings() settingList {
	var list settingList
	var walk func(prefix string, v reflect.Value)
	walk = func(prefix string, v reflect.Value) {
		for i := range v.NumField() {
			field := v.Type().Field(i)
			key := prefix + field.Tag.Get("koanf")
			if field.Type.Kind() == reflect.Struct {
				walk(key+".", v.Field(i))
				continue
			}
			list = append(list, setting{key, field.Tag.Get("help"), v.Field(i).Interface(), field.Type.Kind() == reflect.Map})
		}
	}
	walk("", reflect.ValueOf(defaults()))
	return list
}

func (l settingList) has(key string) bool {
	for _, s := range l {
		if s.key == key || (s.entries && strings.HasPrefix(key, s.key+".")) {
			return true
		}
	}
	return false
}

// keyOfEnv returns the key of an APARTE_* variable. An unknown variable keeps
// its own name, which no key has, so that it is refused by that name.
func (l settingList) keyOfEnv(name string) string {
	for _, s := range l {
		if s.env() == name {
			return s.key
		}
	}
	return name
}

// given returns the values of the settings that were given as flags.
func (l settingList) given(flags []*kong.Flag) map[string]any {
	values := make(map[string]any)
	for _, f := range flags {
		if !f.Set {
			continue
		}
		for _, s := range l {
			if s.flag() == f.Name {
				values[s.key] = f.Target.Interface()
			}
		}
	}
	return values
}

type configCommand struct{}

// Run prints a YAML file in which every setting stands as a comment with its
// default, so that the file says only what an operator changed.
func (configCommand) Run(p *process) error { return printConfig(p.stdout) }

func printConfig(w io.Writer) error {
	var b strings.Builder
	b.WriteString("# Settings of aparte. Each can also be given as a variable or as a flag of 'aparte serve':\n" +
		"# media.udp_port is APARTE_MEDIA_UDP_PORT and --media-udp-port. Flags win over variables, variables over this file.\n")
	section := ""
	for _, s := range settings() {
		parent, name, nested := strings.Cut(s.key, ".")
		indent := ""
		if nested {
			indent = "  "
			if parent != section {
				fmt.Fprintf(&b, "\n#%s:\n", parent)
				section = parent
			}
		} else {
			name = parent
			b.WriteString("\n")
		}
		fmt.Fprintf(&b, "%s# %s\n#%s%s: %s\n", indent, s.help, indent, name, yamlValue(s.value))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func yamlValue(v any) string {
	switch v := v.(type) {
	case string:
		return fmt.Sprintf("%q", v)
	case []string:
		return "[]"
	case map[string]string:
		return "{}"
	default:
		return fmt.Sprint(v)
	}
}
