package storage

import (
	"bufio"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
)

// Location is where in which store: what an s3:// address says. It holds no secret.
type Location struct {
	Endpoint string // host, or host:port
	Secure   bool   // https
	Region   string
	Bucket   string
	Prefix   string // of names; "": none
}

// amazon is the endpoint of addresses that name none.
const amazon = "s3.amazonaws.com"

// ParseLocation reads s3://BUCKET[/PREFIX][?endpoint=https://HOST&region=REGION]. Without
// endpoint it is Amazon's. Plain http is for this machine itself; elsewhere it has to be
// said: &plain=yes. An address with credentials in it is refused, and not quoted.
func ParseLocation(text string) (Location, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "s3" {
		return Location{}, errors.New("it is not of the form s3://bucket/prefix?endpoint=https://host&region=region")
	}
	if u.User != nil {
		return Location{}, errors.New("credentials do not belong in an address, which is logged")
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil || u.Fragment != "" {
		return Location{}, errors.New("what follows its ? does not read")
	}
	for key, values := range query {
		if !slices.Contains([]string{"endpoint", "region", "plain"}, key) || len(values) != 1 {
			return Location{}, fmt.Errorf("%.40q after its ?: there are endpoint, region and plain, each once", key)
		}
	}
	l := Location{Bucket: u.Host, Prefix: strings.Trim(u.Path, "/"), Region: query.Get("region"), Endpoint: amazon, Secure: true}
	if l.Bucket == "" || CheckName(l.Bucket) != nil {
		return Location{}, fmt.Errorf("%.80q is no name of a bucket", l.Bucket)
	}
	if l.Prefix != "" && CheckName(l.Prefix) != nil {
		return Location{}, fmt.Errorf("the prefix %.80q: %w", l.Prefix, CheckName(l.Prefix))
	}
	if l.Region == "" {
		l.Region = "us-east-1" // what stores that have no regions are called
	}
	if endpoint := query.Get("endpoint"); endpoint != "" {
		if err := l.at(endpoint, query.Get("plain")); err != nil {
			return Location{}, err
		}
	}
	return l, nil
}

func (l *Location) at(endpoint, plain string) error {
	e, err := url.Parse(endpoint)
	if err != nil || e.Host == "" || e.User != nil || strings.Trim(e.Path, "/") != "" || e.RawQuery != "" {
		return errors.New("its endpoint is not of the form https://host")
	}
	l.Endpoint = e.Host
	switch e.Scheme {
	case "https":
	case "http":
		if !loopback(e.Hostname()) && plain != "yes" {
			return fmt.Errorf("its endpoint http://%s can be listened to on the way: use https, or say &plain=yes", e.Host)
		}
		l.Secure = false
	default:
		return errors.New("its endpoint is not of the form https://host")
	}
	return nil
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || (err == nil && ip.IsLoopback())
}

// String is the address without what is only needed to connect.
func (l Location) String() string {
	text := "s3://" + l.Bucket
	if l.Prefix != "" {
		text += "/" + l.Prefix
	}
	return text
}

// Place is the address with its endpoint: two that are equal are the same place.
func (l Location) Place() string {
	if l.Endpoint == amazon {
		return l.String()
	}
	scheme := "https://"
	if !l.Secure {
		scheme = "http://"
	}
	return l.String() + "?endpoint=" + scheme + l.Endpoint
}

// Credentials are what a store knows a client by.
type Credentials struct{ AccessKey, SecretKey string }

// ReadCredentials reads them from a file as Amazon's tools have it: lines
// aws_access_key_id = ... and aws_secret_access_key = ..., of its first section.
func ReadCredentials(path string) (Credentials, error) {
	f, err := os.Open(path)
	if err != nil {
		return Credentials{}, err
	}
	defer f.Close()
	var c Credentials
	sections := 0
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if strings.HasPrefix(line, "[") {
			sections++
		}
		key, value, is := strings.Cut(line, "=")
		if !is || sections > 1 {
			continue
		}
		switch strings.TrimSpace(key) {
		case "aws_access_key_id":
			c.AccessKey = strings.TrimSpace(value)
		case "aws_secret_access_key":
			c.SecretKey = strings.TrimSpace(value)
		}
	}
	if err := lines.Err(); err != nil {
		return Credentials{}, err
	}
	if c.AccessKey == "" || c.SecretKey == "" {
		return Credentials{}, fmt.Errorf("%s lacks aws_access_key_id or aws_secret_access_key: it has a line KEY = VALUE for each", path)
	}
	return c, nil
}
