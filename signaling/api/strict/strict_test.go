package strict

import (
	"encoding/json"
	"testing"
)

type hello struct {
	Session string `json:"session"`
}

func TestStrictRefusesWhatTwoParsersReadDifferently(t *testing.T) {
	for _, text := range []string{
		``, `{`, `{"name":"a"} {"name":"b"}`, `{"name":"a","name":"b"}`, `{"name":"a","NAME":"b"}`, `{"Name":"a"}`,
		`{"na\u006de":"a","name":"b"}`, `{"other":1}`, "{\"name\":\"\xc3\"}", `{"name":"a",}`, `{"":1}`, `[[[[[[[[[1]]]]]]]]]`,
		`{"name":{"x":{"x":{"x":{"x":{"x":{"x":{"x":{"x":1}}}}}}}}}`,
	} {
		var v struct{ Name string }
		if err := Decode([]byte(text), &v); err == nil {
			t.Errorf("%s was accepted as %+v", text, v)
		}
	}
	var v struct{ Name, Organisation string }
	if err := Decode([]byte(` {"name" : "Ren\u00e9e", "organisation":""} `), &v); err != nil || v.Name != "Renée" {
		t.Errorf("a plain body: %+v, %v", v, err)
	}
}

func FuzzStrict(f *testing.F) {
	for _, seed := range []string{`{"session":"x"}`, `{"session":"x","session":"y"}`, `[{"a":[1,2,{}]}]`, `"\ud800"`, `{"type":"seen","seq":18446744073709551616}`, `1e999`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, v := range []any{new(any), new(hello), new(map[string]string)} {
			if Decode(data, v) != nil {
				continue
			}
			// What is accepted means the same to the standard library.
			var loose any
			if err := json.Unmarshal(data, &loose); err != nil {
				t.Fatalf("accepted %q, which is not JSON: %v", data, err)
			}
			if h, ok := v.(*hello); ok && loose != nil {
				if m, ok := loose.(map[string]any); !ok || h.Session != "" && m["session"] != h.Session {
					t.Fatalf("%q read as %+v and as %v", data, h, loose)
				}
			}
		}
	})
}
