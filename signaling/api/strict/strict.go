// Package strict decodes JSON so that no two parsers can read it differently.
package strict

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// maxDepth bounds nesting: no body of this API needs more than three levels.
const maxDepth = 8

// ErrRefused marks what is refused beyond the grammar of JSON.
var ErrRefused = errors.New("not accepted")

// Decode decodes one JSON text into v (a pointer) and refuses what two
// parsers could read differently: invalid UTF-8, a key given twice, a key in
// other letters than lower case (encoding/json would match "Title" with
// "title"), nesting beyond maxDepth and anything after the value. Unknown keys
// of a struct are refused as well.
func Decode(data []byte, v any) error {
	if !utf8.Valid(data) {
		return fmt.Errorf("invalid UTF-8: %w", ErrRefused)
	}
	if err := checkKeys(data); err != nil {
		return err
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	return dec.Decode(v)
}

// checkKeys walks the tokens of data once.
func checkKeys(data []byte) error {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	if err := checkValue(dec, 0); err != nil {
		return err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("more than one JSON value: %w", ErrRefused)
	}
	return nil
}

func checkValue(dec *json.Decoder, depth int) error {
	token, err := dec.Token()
	if err != nil {
		return err
	}
	open, ok := token.(json.Delim)
	if !ok {
		return nil
	}
	if depth == maxDepth {
		return fmt.Errorf("nested deeper than %d: %w", maxDepth, ErrRefused)
	}
	seen := make(map[string]bool)
	for dec.More() {
		if open == '{' {
			token, err := dec.Token()
			if err != nil {
				return err
			}
			key, ok := token.(string)
			if !ok || !plainKey(key) {
				return fmt.Errorf("key %q is unknown: %w", clip(key), ErrRefused)
			}
			if seen[key] {
				return fmt.Errorf("key %q appears twice: %w", key, ErrRefused)
			}
			seen[key] = true
		}
		if err := checkValue(dec, depth+1); err != nil {
			return err
		}
	}
	_, err = dec.Token() // the closing delimiter
	return err
}

// plainKey reports whether key is written as every key of this API is.
func plainKey(key string) bool {
	if key == "" || len(key) > 40 {
		return false
	}
	for _, c := range []byte(key) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' {
			return false
		}
	}
	return true
}

func clip(s string) string {
	if len(s) > 40 {
		return s[:40]
	}
	return s
}
