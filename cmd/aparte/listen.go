package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
)

// listen opens a TCP listener. What can stand in its way is the operator's to
// mend, so its errors are usage errors that say how.
func listen(ctx context.Context, key, address string) (net.Listener, error) {
	var config net.ListenConfig
	l, err := config.Listen(ctx, "tcp", address)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, usageError{fmt.Errorf("%s: port of %s is taken by another program: stop it or choose another port", key, address)}
	case errors.Is(err, syscall.EACCES):
		return nil, usageError{fmt.Errorf("%s: no permission to use the port of %s: ports below 1024 need CAP_NET_BIND_SERVICE", key, address)}
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return nil, usageError{fmt.Errorf("%s: %s is not an address of this machine", key, address)}
	case err != nil:
		return nil, usageError{fmt.Errorf("%s: %w", key, err)}
	}
	return l, nil
}

// isLoopback tells whether only this machine can reach the address.
func isLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback()
}

// mediaAddresses returns the local addresses that media is received on:
// those given, else every usable one. A socket is bound to each, since one
// bound to all would let a connection hop between addresses.
func mediaAddresses(given []string, dev bool) ([]netip.Addr, error) {
	var addrs []netip.Addr
	for _, g := range given {
		ip, err := netip.ParseAddr(g)
		if err != nil {
			return nil, usageError{fmt.Errorf("media.addresses: %w", err)}
		}
		addrs = append(addrs, ip)
	}
	if len(addrs) > 0 {
		return addrs, nil
	}
	local, err := net.InterfaceAddrs()
	if err != nil {
		return nil, fmt.Errorf("list addresses of this machine: %w", err)
	}
	for _, a := range local {
		prefix, err := netip.ParsePrefix(a.String())
		if err != nil {
			continue
		}
		ip := prefix.Addr().Unmap()
		// Link-local addresses need a zone, which candidates cannot carry.
		if ip.IsLinkLocalUnicast() || ip.IsMulticast() || (ip.IsLoopback() && !dev) {
			continue
		}
		addrs = append(addrs, ip)
	}
	if len(addrs) == 0 {
		return nil, usageError{errors.New("media.addresses: this machine has no usable IP address: name one")}
	}
	return addrs, nil
}
