package main

import (
	"errors"
	"fmt"
	"strings"
	"syscall"

	"aparte/signaling/store"
)

func trimSlash(url string) string { return strings.TrimRight(url, "/") }

// dataError tells the operator's mistakes about the data folder from failures.
func dataError(folder string, err error) error {
	err = fmt.Errorf("data_dir %s: %w", folder, err)
	if errors.Is(err, store.ErrUnwritable) || errors.Is(err, store.ErrInUse) || errors.Is(err, store.ErrCorrupt) || errors.Is(err, store.ErrNewer) {
		return usageError{oneLine([]error{err})}
	}
	return err
}

// mediaError does the same for the media's sockets.
func mediaError(err error) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return usageError{fmt.Errorf("media.udp_port: taken by another program: stop it or choose another port (%w)", err)}
	case errors.Is(err, syscall.EADDRNOTAVAIL), errors.Is(err, syscall.EACCES):
		return usageError{fmt.Errorf("media.addresses, media.udp_port: %w", err)}
	}
	return fmt.Errorf("media: %w", err)
}
