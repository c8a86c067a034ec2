package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Who may import whom. cmd → signaling → sfu; recorder → the words of sfu's tap, and what
// reads payloads, so that recordings are read where no SFU builds; nothing points back. A package may always import the folders below its own top one.
var mayImport = map[string][]string{
	"sfu":             {},
	"signaling":       {"sfu/..."},
	"recorder":        {"sfu/tap", "sfu/codec"},
	"web":             {},
	"cmd/aparte":      {"sfu/...", "signaling/...", "recorder/...", "web"},
	"cmd/aparte-load": {},
	// It runs in a browser.
	"cmd/aparte-opener": {"recorder/opening", "recorder/export", "recorder/mux", "recorder/seal"},
}

// The rules and the byte work: values in, values out. They know neither HTTP,
// SQL, sockets nor the wall clock, so that every one of their tests is a table.
var pure = []string{
	"signaling/link", "signaling/lobby", "signaling/meeting", "signaling/profile", "signaling/recording", "signaling/role",
	"signaling/token", "signaling/post", "signaling/audit", "signaling/appointment", "signaling/health",
	"sfu/ring", "sfu/codec", "sfu/congestion", "sfu/tap", "recorder/journal", "recorder/jitter", "recorder/clock", "recorder/compose",
}

var impure = []string{"net", "net/http", "database/sql", "os", "os/exec", "syscall", "github.com/gorilla/websocket", "golang.org/x/sys/..."}

// What reads the wall clock. A duration or a time.Time as a value is welcome.
var clocks = []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTicker", "NewTimer"}

// Third parties that stay behind one door. Tests may go through any.
var edges = map[string][]string{
	"github.com/pion/webrtc/v4": {"sfu/transport/...", "cmd/aparte-load/client"},
	"github.com/pion/ice/v4":    {"sfu/transport/...", "cmd/aparte-load/client"},
	"github.com/pion/dtls/v3":   {"sfu/transport/..."},
	"github.com/pion/srtp/v3":   {"sfu/transport/..."},
	"github.com/pion/turn/v5":   {"sfu/relay"},
	"filippo.io/age":            {"recorder/seal", "signaling/file"},
	// Matroska.
	"github.com/at-wat/ebml-go/mkvcore": {"recorder/mux"},
	// Signed notes: the recorder's statements.
	"golang.org/x/mod/sumdb/note":  {"recorder/seal"},
	"github.com/minio/minio-go/v7": {"recorder/storage/..."},
	"database/sql":                 {"signaling/store/..."},
	"modernc.org/sqlite":           {"signaling/store/..."},
}

// What only tests may import: it makes disks fail, and judges histories.
var forTests = []string{"sfu/leaktest", "signaling/store/faulty", "signaling/meeting/meetingtest", "signaling/recording/recordingtest", "recorder/storage/storagetest"}

type goPackage struct {
	ImportPath, Dir string
	GoFiles         []string
	Imports         []string
}

// TestImports compares the imports of every package with the tables above.
func TestImports(t *testing.T) {
	packages := listPackages(t, "aparte/...")
	if len(packages) < 5 {
		t.Fatalf("go list found %d packages: this test looked in the wrong place", len(packages))
	}
	packages = append(packages, listPackages(t, "aparte/cmd/aparte-opener", "GOOS=js", "GOARCH=wasm")...)
	for _, p := range packages {
		name := strings.TrimPrefix(p.ImportPath, "aparte/")
		if slices.Contains([]string{"util", "utils", "common", "types", "helpers", "misc"}, path.Base(name)) {
			t.Errorf("%s: a package is named after its subject", name)
		}
		for _, imported := range p.Imports {
			if why := forbidden(name, imported); why != "" {
				t.Errorf("%s imports %s: %s", name, imported, why)
			}
		}
		if slices.Contains(pure, name) {
			for _, use := range clockReadings(t, p) {
				t.Errorf("%s: the rules and the byte work are told the time, they do not ask for it", use)
			}
		}
	}
}

// TestImportRules is the check of the checker: what the tables are meant to refuse is refused.
func TestImportRules(t *testing.T) {
	for _, c := range []struct {
		from, to string
		refused  bool
	}{
		{"sfu/forward", "aparte/sfu/ring", false},
		{"sfu/forward", "aparte/signaling/wire", true},
		{"sfu", "github.com/pion/webrtc/v4", true},
		{"sfu/transport", "github.com/pion/webrtc/v4", false},
		{"signaling/wire", "aparte/sfu", false},
		{"signaling/wire", "aparte/recorder", true},
		{"signaling/wire", "github.com/pion/webrtc/v4", true},
		{"signaling/api", "database/sql", true},
		{"signaling/lobby", "net/http", true},
		{"signaling/lobby", "time", false},
		{"recorder", "aparte/sfu/tap", false},
		{"recorder", "aparte/sfu", true},
		{"recorder/mux", "aparte/sfu/ring", true},
		{"recorder", "filippo.io/age", true},
		{"recorder/seal", "filippo.io/age", false},
		{"recorder/storage", "github.com/minio/minio-go/v7", false},
		{"cmd/aparte", "github.com/minio/minio-go/v7", true},
		{"cmd/aparte", "golang.org/x/mod/sumdb/note", true},
		{"recorder", "aparte/signaling", true},
		{"web", "aparte/signaling", true},
		{"cmd/aparte", "aparte/web", false},
		{"cmd/aparte", "aparte/recorder/compose", false},
		{"cmd/aparte-load", "aparte/sfu", true},
		{"cmd/aparte-opener", "aparte/recorder/opening", false},
		{"cmd/aparte-opener", "aparte/recorder", true},
		{"signaling/store", "aparte/signaling/store/faulty", true},
		{"tools", "fmt", true},
	} {
		if why := forbidden(c.from, c.to); (why != "") != c.refused {
			t.Errorf("%s imports %s: refused %t (%s), want %t", c.from, c.to, why != "", why, c.refused)
		}
	}
}

// forbidden says why a package of ours may not import another, or nothing.
func forbidden(name, imported string) string {
	top := ""
	for folder := range mayImport {
		if matches(folder+"/...", name) && len(folder) > len(top) {
			top = folder
		}
	}
	if top == "" {
		return fmt.Sprintf("%s is in no folder of the tree", name)
	}
	if ours, ok := strings.CutPrefix(imported, "aparte/"); ok {
		if !matches(top+"/...", ours) && !matchesAny(mayImport[top], ours) {
			return fmt.Sprintf("of ours, %s may import only %v", top, mayImport[top])
		}
		if slices.Contains(forTests, ours) {
			return "it is for tests"
		}
		return ""
	}
	if doors, ok := edges[imported]; ok && !matchesAny(doors, name) {
		return fmt.Sprintf("it stays behind %v", doors)
	}
	if slices.Contains(pure, name) && matchesAny(impure, imported) {
		return "the rules and the byte work are values in, values out"
	}
	return ""
}

// matches reads a pattern as the go command does: "a/..." is a and all below it.
func matches(pattern, name string) bool {
	if folder, ok := strings.CutSuffix(pattern, "/..."); ok {
		return name == folder || strings.HasPrefix(name, folder+"/")
	}
	return name == pattern
}

func matchesAny(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool { return matches(pattern, name) })
}

// listPackages lists those of a pattern, as they are built with an environment.
func listPackages(t *testing.T, pattern string, environment ...string) []goPackage {
	t.Helper()
	command := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Dir,GoFiles,Imports", pattern)
	command.Env = append(os.Environ(), environment...)
	var stderr bytes.Buffer
	command.Stderr = &stderr
	out, err := command.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.Bytes())
	}
	var packages []goPackage
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p goPackage
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return packages
		} else if err != nil {
			t.Fatalf("read go list: %v", err)
		}
		packages = append(packages, p)
	}
}

// clockReadings lists the places of a package's own files that ask for the time of day.
func clockReadings(t *testing.T, p goPackage) []string {
	t.Helper()
	var found []string
	files := token.NewFileSet()
	for _, name := range p.GoFiles {
		file, err := parser.ParseFile(files, filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		alias := ""
		for _, spec := range file.Imports {
			if imported, _ := strconv.Unquote(spec.Path.Value); imported == "time" {
				alias = "time"
				if spec.Name != nil {
					alias = spec.Name.Name
				}
			}
		}
		ast.Inspect(file, func(node ast.Node) bool {
			selector, ok := node.(*ast.SelectorExpr)
			if !ok || !slices.Contains(clocks, selector.Sel.Name) {
				return true
			}
			if x, ok := selector.X.(*ast.Ident); ok && alias != "" && x.Name == alias {
				found = append(found, fmt.Sprintf("%s: time.%s", files.Position(node.Pos()), selector.Sel.Name))
			}
			return true
		})
	}
	return found
}
