//go:build js && wasm

// Command aparte-opener opens recordings in a browser: recorder/opening, compiled to
// WebAssembly, for the worker of web/src/features/opening that calls it. It is given
// files to read and to write and a key, and knows neither the page nor the network.
//
// It offers one object, globalThis.opener:
//
//	load(parts, nodeKey)                        parts: {name, size, read(from, to) → Uint8Array}[]
//	verify(progress)                            → Promise of JSON: {report} or {error}
//	open(keys, damaged, create, progress)       → Promise of JSON: {opened} or {error}
//
// create(name) gives {write(bytes, at), close()}, all of which may return a promise.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"syscall/js"

	"aparte/recorder/opening"
	"aparte/recorder/seal"
)

func main() {
	o := &opener{}
	js.Global().Set("opener", js.ValueOf(map[string]any{
		"load":   js.FuncOf(o.load),
		"verify": js.FuncOf(o.verify),
		"open":   js.FuncOf(o.open),
	}))
	select {} // until its worker is ended
}

// opener has one recording at a time.
type opener struct {
	recording *opening.Recording
}

func (o *opener) load(_ js.Value, args []js.Value) any {
	given, key := args[0], args[1].String()
	return promise(func() (any, error) {
		var parts []seal.Source
		for i := range given.Length() {
			part := given.Index(i)
			parts = append(parts, seal.Source{
				Name: part.Get("name").String(), Size: int64(part.Get("size").Float()), ReaderAt: blob{part},
			})
		}
		var err error
		o.recording, err = opening.New(parts, key)
		return map[string]any{}, err
	})
}

func (o *opener) verify(_ js.Value, args []js.Value) any {
	progress := args[0]
	return promise(func() (any, error) {
		report, err := o.recording.Verify(telling(progress))
		return map[string]any{"report": report}, err
	})
}

func (o *opener) open(_ js.Value, args []js.Value) any {
	keys, damaged, create, progress := args[0].String(), args[1].Bool(), args[2], args[3]
	return promise(func() (any, error) {
		opened, err := o.recording.Open(context.Background(), keys, damaged, folder{create}, telling(progress))
		return map[string]any{"opened": opened}, err
	})
}

func telling(to js.Value) opening.Progress {
	return func(done, of int64) { to.Invoke(float64(done), float64(of)) }
}

// failure is what went wrong: a code for those that have words, and the words of the
// commands for all.
type failure struct {
	Code   string `json:"code"`
	Detail string `json:"detail"`
	// Keys are the fingerprints of those that open it, where the one given does not.
	Keys []string `json:"keys,omitempty"`
}

func failureOf(err error) failure {
	for _, known := range []struct {
		is   error
		code string
	}{
		{opening.ErrKey, "key"},
		{opening.ErrNodeKey, "node-key"},
		{opening.ErrNotForUs, "not-for-us"},
		{opening.ErrTampered, "tampered"},
		{opening.ErrTooMuch, "too-much"},
		{errFull, "full"},
		{errUnreadable, "unreadable"},
		{errUnwritable, "unwritable"},
	} {
		if errors.Is(err, known.is) {
			return failure{known.code, err.Error(), opening.KeysOf(err)}
		}
	}
	return failure{Code: "failed", Detail: err.Error()}
}

// promise runs something that may wait, which a call from JavaScript may not.
func promise(do func() (any, error)) any {
	var executor js.Func
	executor = js.FuncOf(func(_ js.Value, args []js.Value) any {
		executor.Release()
		resolve := args[0]
		go func() {
			out, err := do()
			if err != nil {
				out = map[string]any{"error": failureOf(err)}
			}
			text, err := json.Marshal(out)
			if err != nil {
				panic(fmt.Sprintf("an answer that is no JSON: %v", err))
			}
			resolve.Invoke(string(text))
		}()
		return nil
	})
	return js.Global().Get("Promise").New(executor)
}
