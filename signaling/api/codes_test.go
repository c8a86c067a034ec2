package api

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Every kind of mistake that a rule can find (a constant of type name.Code) is in the
// API's description, and nothing else is: the web client has a word for each of those.
func TestTheDescriptionNamesEveryKindOfMistake(t *testing.T) {
	found := make(map[string]string)
	err := filepath.WalkDir("..", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok || !isCode(spec.Type, file.Name.Name) {
				return true
			}
			for _, value := range spec.Values {
				code, err := strconv.Unquote(value.(*ast.BasicLit).Value)
				if err != nil || found[code] != "" {
					t.Errorf("%s: %s is no code, or that of %s", path, code, found[code])
				}
				found[code] = path
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	field, _ := reflect.TypeFor[ProblemField]().FieldByName("Code")
	described := strings.Split(field.Tag.Get("enum"), ",")
	for code, path := range found {
		if !slices.Contains(described, code) {
			t.Errorf("%s has %q, which the description does not name", path, code)
		}
	}
	if len(described) != len(found) {
		t.Errorf("%d kinds described, %d in the rules", len(described), len(found))
	}
}

// isCode tells whether a constant's type is name.Code.
func isCode(of ast.Expr, pkg string) bool {
	switch is := of.(type) {
	case *ast.Ident:
		return pkg == "name" && is.Name == "Code"
	case *ast.SelectorExpr:
		from, ok := is.X.(*ast.Ident)
		return ok && from.Name == "name" && is.Sel.Name == "Code"
	}
	return false
}
