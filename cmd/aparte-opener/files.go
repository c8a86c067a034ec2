//go:build js && wasm

package main

import (
	"errors"
	"fmt"
	"io"
	"syscall/js"

	"aparte/recorder/mux"
)

var (
	errUnreadable = errors.New("a file could not be read")
	errUnwritable = errors.New("a file could not be written")
	errFull       = errors.New("there is no room for what comes out")
)

// call calls a method and waits for the promise that it may return.
func call(on js.Value, method string, args ...any) (out js.Value, err error) {
	defer func() {
		if thrown, ok := recover().(js.Error); ok {
			err = thrown
		}
	}()
	out = on.Call(method, args...)
	if out.Type() != js.TypeObject || out.Get("then").Type() != js.TypeFunction {
		return out, nil
	}
	type result struct {
		value js.Value
		err   error
	}
	done := make(chan result, 1)
	kept := js.FuncOf(func(_ js.Value, args []js.Value) any { done <- result{value: args[0]}; return nil })
	broken := js.FuncOf(func(_ js.Value, args []js.Value) any { done <- result{err: js.Error{Value: args[0]}}; return nil })
	defer kept.Release()
	defer broken.Release()
	out.Call("then", kept, broken)
	r := <-done
	return r.value, r.err
}

// blob is a part: a file of the browser, which reads it piece by piece.
type blob struct{ part js.Value }

func (b blob) ReadAt(into []byte, at int64) (int, error) {
	bytes, err := call(b.part, "read", float64(at), float64(at+int64(len(into))))
	if err != nil {
		return 0, fmt.Errorf("%w: %w", errUnreadable, err)
	}
	n := js.CopyBytesToGo(into, bytes)
	if n < len(into) {
		return n, io.EOF
	}
	return n, nil
}

// folder is where media files go.
type folder struct{ create js.Value }

func (folder) Begin() error { return nil }
func (folder) End() error   { return nil }

func (f folder) Create(name string) (mux.File, error) {
	made, err := call(f.create, "call", js.Null(), name)
	if err != nil {
		return nil, unwritten(err)
	}
	return &file{made: made}, nil
}

// file is a media file that is being made. What the muxer writes in front, in pieces of
// some bytes, is handed over in larger ones.
type file struct {
	made js.Value
	held []byte
	at   int64 // of held
}

const heldMost = 256 << 10

func (f *file) Write(b []byte) (int, error) {
	f.held = append(f.held, b...)
	if len(f.held) >= heldMost {
		if err := f.flush(); err != nil {
			return 0, err
		}
	}
	return len(b), nil
}

func (f *file) flush() error {
	if len(f.held) == 0 {
		return nil
	}
	err := f.put(f.held, f.at)
	f.at += int64(len(f.held))
	f.held = f.held[:0]
	return err
}

func (f *file) put(b []byte, at int64) error {
	bytes := js.Global().Get("Uint8Array").New(len(b))
	js.CopyBytesToJS(bytes, b)
	if _, err := call(f.made, "write", bytes, float64(at)); err != nil {
		return unwritten(err)
	}
	return nil
}

func (f *file) WriteAt(b []byte, at int64) (int, error) {
	if err := f.flush(); err != nil {
		return 0, err
	}
	if err := f.put(b, at); err != nil {
		return 0, err
	}
	return len(b), nil
}

func (f *file) Close() error {
	if err := f.flush(); err != nil {
		return err
	}
	if _, err := call(f.made, "close"); err != nil {
		return unwritten(err)
	}
	return nil
}

// unwritten tells a lack of room from other trouble.
func unwritten(err error) error {
	thrown := js.Error{}
	if errors.As(err, &thrown) && thrown.Type() == js.TypeObject && thrown.Get("name").String() == "QuotaExceededError" {
		return fmt.Errorf("%w: %w", errFull, err)
	}
	return fmt.Errorf("%w: %w", errUnwritable, err)
}
