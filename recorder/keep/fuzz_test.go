package keep

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

// FuzzIndex: whatever lies in a store as an index, what is believed of it fits together,
// and names nothing outside of its part.
func FuzzIndex(f *testing.F) {
	f.Add([]byte(`{"type":"aparte-part-index","recording":"rec","part":1,"size":3,"objects":[{"name":"00000001.tar","size":1},{"name":"00000002.tar","size":2}]}`))
	f.Add([]byte(`{"type":"aparte-part-index","recording":"rec","part":1,"size":-1,"objects":[{"name":"../x","size":-1}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		x := new(Index)
		if json.NewDecoder(bytes.NewReader(text)).Decode(x) != nil || x.check(id, 1) != nil {
			return
		}
		j := newJoined(t.Context(), nil, folderOf(id, 1), x.Objects)
		if j.size != x.Size || j.size < 0 {
			t.Fatalf("joined %d bytes, its index says %d", j.size, x.Size)
		}
		for _, o := range x.Objects {
			if strings.Trim(strings.TrimSuffix(o.Name, ".tar"), "0123456789") != "" {
				t.Fatalf("an object %q", o.Name)
			}
		}
	})
}
