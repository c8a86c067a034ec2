package main

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"net"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"github.com/dustin/go-humanize"
	"github.com/go-viper/mapstructure/v2"
	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/providers/confmap"
	"github.com/knadh/koanf/providers/env/v2"
	"github.com/knadh/koanf/providers/file"
	"github.com/knadh/koanf/v2"

	"aparte/recorder/seal"
	"aparte/recorder/storage"
	"aparte/signaling/post"
	"aparte/signaling/recording"
)

// Config is every setting of the server. A YAML file is overridden by
// APARTE_* variables and those by flags; the names follow from one another:
// media.udp_port, APARTE_MEDIA_UDP_PORT, --media-udp-port.
type Config struct {
	Listen    string `koanf:"listen" help:"Address and port of the web client, the API and the signalling."`
	PublicURL string `koanf:"public_url" help:"Address that browsers use, such as https://meet.example.org. Empty: http:// and the listen address."`
	DataDir   string `koanf:"data_dir" help:"Folder of the database. Created when missing."`
	Admin     struct {
		Listen string `koanf:"listen" help:"Address and port of metrics and profiles, which show who talks to whom: keep it on loopback. Empty: off."`
	} `koanf:"admin" embed:"" prefix:"admin-"`
	TLS struct {
		CertFile string `koanf:"cert_file" help:"Certificate with those of its issuers (PEM): the server then speaks TLS itself. Read again when it changes. Empty: a proxy does, or nobody."`
		KeyFile  string `koanf:"key_file" help:"Its private key (PEM)."`
	} `koanf:"tls" embed:"" prefix:"tls-"`
	Media struct {
		UDPPort           int      `koanf:"udp_port" help:"The one UDP port of all media. 0: any free one."`
		TCPPort           int      `koanf:"tcp_port" help:"TCP port of media, for networks where UDP does not pass. -1: the port of listen, or behind a proxy that of udp_port. 0: none but the port of listen."`
		Addresses         []string `koanf:"addresses" help:"Local IP addresses that media uses. Empty: all of this machine, loopback only with --dev."`
		ExternalAddresses []string `koanf:"external_addresses" help:"Public IP addresses of a router that passes the media ports on to this machine; the local ones are offered as well. Empty: there is none."`
		Adaptation        bool     `koanf:"adaptation" help:"Send everyone as much as their connection carries: sound first, smaller pictures, then fewer. false sends all, whatever becomes of it."`
	} `koanf:"media" embed:"" prefix:"media-"`
	TURN struct {
		Enabled bool   `koanf:"enabled" help:"Relay media for networks that let nothing else out: TURN over TCP, and over TLS with a certificate, on the ports that carry media over TCP. It reaches nothing but this server's media."`
		UDPPort int    `koanf:"udp_port" help:"UDP port for TURN as well, 3478 by custom. 0: none; where UDP passes, media mostly does so itself."`
		Host    string `koanf:"host" help:"Name or address by which clients reach TURN. Empty: that of public_url, else that of listen."`
	} `koanf:"turn" embed:"" prefix:"turn-"`
	Meetings struct {
		Microphones       int `koanf:"microphones" help:"So many voices are heard in a meeting, those who spoke last, and whoever a client pins. 0: all."`
		KeepChatDays      int `koanf:"keep_chat_days" help:"Messages of a call are deleted so many days after they were written, where the security profile keeps them at all."`
		KeepRecordingDays int `koanf:"keep_recording_days" help:"Recordings are deleted so many days after their end; everybody who is asked reads it."`
	} `koanf:"meetings" embed:"" prefix:"meetings-"`
	Recordings struct {
		Recipients     []string          `koanf:"recipients" help:"Public keys that recordings are sealed to, as 'aparte keygen' prints them: whoever has the private half of one can open them, the server cannot. Empty: nothing can be recorded."`
		Store          string            `koanf:"store" help:"Where recordings go while they are made: s3://bucket/prefix?endpoint=https://host&region=region, of any S3-compatible store; without endpoint Amazon's. Plain http is for this machine itself; elsewhere it takes &plain=yes. Empty: they stay in data_dir."`
		StoreAccessKey string            `koanf:"store_access_key" help:"Access key of the store."`
		StoreSecretKey string            `koanf:"store_secret_key" help:"Its secret; APARTE_RECORDINGS_STORE_SECRET_KEY rather than a flag, which others of this machine can read."`
		StoreKeysFile  string            `koanf:"store_keys_file" help:"File of both instead, with lines aws_access_key_id = ... and aws_secret_access_key = ..., as Amazon's tools have it."`
		StoreLock      string            `koanf:"store_lock" help:"Lock what goes to the store (S3 Object Lock) until the recording's time is over, and for as long as it is on hold: 'governance' or 'compliance'. Its bucket must have object lock. Nobody can delete a recording before its time then, hosts neither; with 'compliance' nobody at all. Empty: off."`
		Quota          string            `koanf:"quota" help:"So much the recordings of one post may take together, such as 200GiB: beyond it none is begun, and those under way stop. 0: as much as the disk has."`
		PostQuotas     map[string]string `koanf:"post_quotas" help:"The same for single posts, by their ids; 0: no bound for this one."`
		ServerKey      string            `koanf:"server_key" help:"File of a key of the server's own, made when it is not there: it opens recordings whose security profile says 'consent', each by a key that is deleted with the recording, and their hosts can watch them in the browser. Whoever has this server's disk and that file can open them; everybody who is asked reads so. What the profile seals never is. Empty: off, and only the recipients open anything."`
		FilmFolder     string            `koanf:"film_folder" help:"Folder in which films of such recordings are made, which are not encrypted meanwhile; deleted afterwards. Empty: films in data_dir."`
		FilmThreads    int               `koanf:"film_threads" help:"So many threads may make films, at low priority, one film at a time."`
		FilmLayout     string            `koanf:"film_layout" help:"How people are arranged in films where no host chooses: grid, all of one size, or speaker, whoever speaks large."`
		FilmFormat     string            `koanf:"film_format" help:"What kind of files films are where no host chooses: webm (VP9, Opus), or mp4 (H.264, AAC), which office programs take."`
		FFmpeg         string            `koanf:"ffmpeg" name:"ffmpeg" help:"The program that composes films. Without it there are none, and all else works."`
	} `koanf:"recordings" embed:"" prefix:"recordings-"`
	Files struct {
		SizeMB    int `koanf:"size_mb" help:"So many megabytes a file may have that is sent in a meeting."`
		MeetingMB int `koanf:"meeting_mb" help:"So many megabytes the files of one meeting may have together, those of one person a fifth of it."`
		TotalMB   int `koanf:"total_mb" help:"So many megabytes the files of all meetings may have together. They lie encrypted in data_dir until their meeting ends; 500 MB of its disk are left free."`
	} `koanf:"files" embed:"" prefix:"files-"`
	Integration struct {
		Keys        map[string]string `koanf:"keys" help:"API keys and secrets of programs that open rooms of their own with LiveKit SDKs; they never reach meetings. Empty: off."`
		Microphones int               `koanf:"microphones" help:"So many voices are heard in a room of such a program. 0: all."`
		RoomsOnJoin bool              `koanf:"rooms_on_join" help:"Whoever comes first makes the room. false: only RoomService makes rooms, and a join of another one is refused."`
	} `koanf:"integration" embed:"" prefix:"integration-"`
	Webhooks struct {
		URLs []string `koanf:"urls" name:"urls" help:"Addresses that are told what happens in integration rooms (LiveKit webhooks): http:// or https://. Empty: off."`
		Key  string   `koanf:"key" help:"Name of the API key that signs webhooks. Empty: the only one there is."`
	} `koanf:"webhooks" embed:"" prefix:"webhooks-"`
	Log struct {
		Level  string `koanf:"level" help:"debug, info, warn or error."`
		Format string `koanf:"format" help:"text or json."`
	} `koanf:"log" embed:"" prefix:"log-"`
}

// minSecretLength is in characters: 32 hold 128 bits even in hexadecimal.
const minSecretLength = 32

// maxKeepChatDays is as long as the audit trail is kept.
const maxKeepChatDays = 5 * 366

// defaults are the settings of a server that nobody configured.
func defaults() Config {
	var c Config
	c.Listen = "127.0.0.1:7880"
	c.DataDir = "/var/lib/aparte"
	c.Admin.Listen = "127.0.0.1:7881"
	c.Media.UDPPort = 7882
	c.Media.TCPPort = -1
	c.Media.Adaptation = true
	c.TURN.Enabled = true
	c.Meetings.Microphones = 3
	c.Meetings.KeepChatDays = 90
	c.Meetings.KeepRecordingDays = 90
	c.Recordings.Quota = "0"
	c.Recordings.FilmThreads, c.Recordings.FFmpeg = 2, "ffmpeg"
	film := recording.DefaultFilm()
	c.Recordings.FilmLayout, c.Recordings.FilmFormat = string(film.Layout), string(film.Format)
	c.Files.SizeMB, c.Files.MeetingMB, c.Files.TotalMB = 20, 500, 5000
	c.Integration.RoomsOnJoin = true
	c.Log.Level = "info"
	c.Log.Format = "text"
	return c
}

// loadConfig reads the settings from the file (when named), the environment
// and the flags that were given, in this order, and checks them. Every error
// is a usageError that names the key and where it was found.
func loadConfig(path string, environ func() []string, flags []*kong.Flag, dev bool) (Config, error) {
	known := settings()
	k := koanf.New(".")
	var faults []error
	load := func(source string, p koanf.Provider, parser koanf.Parser) {
		layer := koanf.New(".")
		if err := layer.Load(p, parser); err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", source, err))
			return
		}
		for _, key := range layer.Keys() {
			if !known.has(key) {
				faults = append(faults, fmt.Errorf("%s: unknown setting %q ('aparte config' prints all)", source, key))
			}
		}
		if err := k.Merge(layer); err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", source, err))
		}
	}
	if path != "" {
		if _, err := os.Stat(path); err != nil {
			return Config{}, usageError{fmt.Errorf("configuration file: %w", err)}
		}
		load(path, file.Provider(path), yaml.Parser())
	}
	load("environment", env.Provider(".", env.Opt{
		Prefix: envPrefix, EnvironFunc: environ,
		TransformFunc: func(name, value string) (string, any) { return known.keyOfEnv(name), value },
	}), nil)
	load("flags", confmap.Provider(known.given(flags), "."), nil)
	if len(faults) > 0 {
		return Config{}, usageError{oneLine(faults)}
	}

	c := defaults()
	if dev {
		c.Integration.Keys = map[string]string{"devkey": "secret"}
	}
	err := k.UnmarshalWithConf("", &c, koanf.UnmarshalConf{Tag: "koanf", DecoderConfig: &mapstructure.DecoderConfig{
		Result: &c, TagName: "koanf", WeaklyTypedInput: true, ErrorUnused: true,
		DecodeHook: mapstructure.StringToSliceHookFunc(","),
	}})
	if err != nil {
		return Config{}, usageError{fmt.Errorf("configuration: %s", strings.ReplaceAll(err.Error(), "\n", " "))}
	}
	if err := c.check(dev); err != nil {
		return Config{}, usageError{err}
	}
	return c, nil
}

func (c *Config) check(dev bool) error {
	var faults []error
	wrong := func(key, format string, args ...any) {
		faults = append(faults, fmt.Errorf("%s: "+format, append([]any{key}, args...)...))
	}
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		wrong("listen", "%q is not an address and port", c.Listen)
	}
	if c.Admin.Listen != "" {
		if _, _, err := net.SplitHostPort(c.Admin.Listen); err != nil {
			wrong("admin.listen", "%q is not an address and port", c.Admin.Listen)
		}
	}
	if c.PublicURL != "" {
		u, err := url.Parse(c.PublicURL)
		if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || (u.Path != "" && u.Path != "/") || u.RawQuery != "" || u.Fragment != "" {
			wrong("public_url", "%q is not of the form https://host", c.PublicURL)
		}
	}
	if c.DataDir == "" {
		wrong("data_dir", "is empty")
	}
	if c.Media.UDPPort < 0 || c.Media.UDPPort > 65535 {
		wrong("media.udp_port", "%d is not a port", c.Media.UDPPort)
	}
	if c.Media.TCPPort < -1 || c.Media.TCPPort > 65535 {
		wrong("media.tcp_port", "%d is not a port", c.Media.TCPPort)
	}
	if c.TURN.UDPPort < 0 || c.TURN.UDPPort > 65535 {
		wrong("turn.udp_port", "%d is not a port", c.TURN.UDPPort)
	}
	if strings.ContainsAny(c.TURN.Host, "/?# ") || strings.Count(c.TURN.Host, ":") == 1 {
		wrong("turn.host", "%q is not a name or an IP address", c.TURN.Host)
	}
	for _, a := range c.Media.ExternalAddresses {
		if ip, err := netip.ParseAddr(a); err != nil || ip.IsUnspecified() || ip.IsLoopback() || ip.Zone() != "" {
			wrong("media.external_addresses", "%q is not a public IP address", a)
		}
	}
	if (c.TLS.CertFile == "") != (c.TLS.KeyFile == "") {
		wrong("tls.cert_file", "a certificate needs its key and a key its certificate: name both files, or none")
	}
	for _, a := range c.Media.Addresses {
		if ip, err := netip.ParseAddr(a); err != nil || ip.IsUnspecified() {
			wrong("media.addresses", "%q is not an IP address of this machine", a)
		}
	}
	if c.Meetings.Microphones < 0 {
		wrong("meetings.microphones", "%d is below zero; 0 lets all be heard", c.Meetings.Microphones)
	}
	if c.Meetings.KeepChatDays < 1 || c.Meetings.KeepChatDays > maxKeepChatDays {
		wrong("meetings.keep_chat_days", "%d is not between 1 and %d days; whether anything is kept is said by the security profile", c.Meetings.KeepChatDays, maxKeepChatDays)
	}
	if c.Meetings.KeepRecordingDays < 1 || c.Meetings.KeepRecordingDays > maxKeepChatDays {
		wrong("meetings.keep_recording_days", "%d is not between 1 and %d days; whether anything is recorded is said by the security profile and by everybody who is asked", c.Meetings.KeepRecordingDays, maxKeepChatDays)
	}
	c.checkStore(wrong)
	if _, err := sizeOf(c.Recordings.Quota); err != nil {
		wrong("recordings.quota", "%q is not a size such as 200GiB", c.Recordings.Quota)
	}
	for _, id := range slices.Sorted(maps.Keys(c.Recordings.PostQuotas)) {
		size := c.Recordings.PostQuotas[id]
		if !post.IsID(id) {
			wrong("recordings.post_quotas", "%q is not the id of a post: that is in the address of its page, after /posts/", id)
		}
		if _, err := sizeOf(size); err != nil {
			wrong("recordings.post_quotas", "%q of %q is not a size such as 200GiB", size, id)
		}
	}
	c.checkFilms(wrong)
	c.checkFiles(wrong)
	if c.Integration.Microphones < 0 {
		wrong("integration.microphones", "%d is below zero; 0 lets all be heard", c.Integration.Microphones)
	}
	for key, secret := range c.Integration.Keys {
		if strings.HasPrefix(key, "aparte-") {
			wrong("integration.keys", "%q: names that begin with aparte- are the server's own", key)
		}
		if len(secret) < minSecretLength && !dev {
			wrong("integration.keys", "the secret of %q has %d characters, at least %d are needed", key, len(secret), minSecretLength)
		}
	}
	c.checkWebhooks(wrong)
	if _, err := logLevel(c.Log.Level); err != nil {
		wrong("log.level", "%q is none of debug, info, warn, error", c.Log.Level)
	}
	if c.Log.Format != "text" && c.Log.Format != "json" {
		wrong("log.format", "%q is neither text nor json", c.Log.Format)
	}
	return oneLine(faults)
}

func (c *Config) checkStore(wrong func(key, format string, args ...any)) {
	r := &c.Recordings
	if _, err := storage.ParseLockMode(r.StoreLock); err != nil {
		wrong("recordings.store_lock", "%s", err)
	}
	if r.Store == "" {
		if r.StoreLock != "" {
			wrong("recordings.store_lock", "locks what goes to a store, and recordings.store names none")
		}
		if r.StoreAccessKey != "" || r.StoreSecretKey != "" || r.StoreKeysFile != "" {
			wrong("recordings.store", "is empty, and there are keys for it: name the store as well, or neither")
		}
		return
	}
	if _, err := storage.ParseLocation(r.Store); err != nil {
		wrong("recordings.store", "%s", err)
	}
	switch {
	case r.StoreKeysFile != "" && (r.StoreAccessKey != "" || r.StoreSecretKey != ""):
		wrong("recordings.store_keys_file", "the keys are given as well: name the file or give them")
	case r.StoreKeysFile == "" && (r.StoreAccessKey == "" || r.StoreSecretKey == ""):
		wrong("recordings.store_access_key", "the store needs store_access_key and store_secret_key, or store_keys_file")
	}
}

// sizeOf reads a number of bytes: 1000, 1.5GB, 200GiB.
func sizeOf(text string) (int64, error) {
	n, err := humanize.ParseBytes(text)
	if err == nil && n > math.MaxInt64 {
		err = fmt.Errorf("%q is more than there can be", text)
	}
	return int64(n), err //nolint:gosec // looked at above
}

// quotas are how much the recordings of posts may take, as checked.
func (c *Config) quotas() recording.Quotas {
	var q recording.Quotas
	q.Each, _ = sizeOf(c.Recordings.Quota)
	for id, size := range c.Recordings.PostQuotas {
		if q.Of == nil {
			q.Of = make(map[string]int64)
		}
		q.Of[id], _ = sizeOf(size)
	}
	return q
}

func (c *Config) checkFilms(wrong func(key, format string, args ...any)) {
	if c.Recordings.FilmThreads < 1 || c.Recordings.FilmThreads > 64 {
		wrong("recordings.film_threads", "%d is not between 1 and 64", c.Recordings.FilmThreads)
	}
	if layout := c.film().Layout; !slices.Contains(recording.FilmLayouts(), layout) {
		wrong("recordings.film_layout", "%q is neither grid nor speaker", layout)
	}
	if format := c.film().Format; !slices.Contains(recording.FilmFormats(), format) {
		wrong("recordings.film_format", "%q is neither webm nor mp4", format)
	}
	if seal.HasPrivateKey(c.Recordings.ServerKey) {
		wrong("recordings.server_key", "is a private key itself: name the file that has it")
	}
	if c.Recordings.FFmpeg == "" {
		wrong("recordings.ffmpeg", "is empty: name the program, such as ffmpeg")
	}
}

// film is how films are made where no host chooses.
func (c *Config) film() recording.FilmChoice {
	return recording.FilmChoice{Layout: recording.FilmLayout(c.Recordings.FilmLayout), Format: recording.FilmFormat(c.Recordings.FilmFormat)}
}

// maxFileMB bounds what a browser has to hold of a file, in megabytes.
const maxFileMB = 1000

func (c *Config) checkFiles(wrong func(key, format string, args ...any)) {
	if c.Files.SizeMB < 1 || c.Files.SizeMB > maxFileMB {
		wrong("files.size_mb", "%d is not between 1 and %d", c.Files.SizeMB, maxFileMB)
	}
	if c.Files.MeetingMB < c.Files.SizeMB {
		wrong("files.meeting_mb", "%d is less than one file may have (files.size_mb)", c.Files.MeetingMB)
	}
	if c.Files.TotalMB < c.Files.MeetingMB {
		wrong("files.total_mb", "%d is less than one meeting may have (files.meeting_mb)", c.Files.TotalMB)
	}
}

func (c *Config) checkWebhooks(wrong func(key, format string, args ...any)) {
	for _, text := range c.Webhooks.URLs {
		if u, err := url.Parse(text); err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
			wrong("webhooks.urls", "%q is not of the form https://host/path", text)
		}
	}
	key := c.webhookKey()
	switch {
	case len(c.Webhooks.URLs) == 0 && c.Webhooks.Key == "":
	case key == "":
		wrong("webhooks.key", "name the one of integration.keys that signs: there are %d", len(c.Integration.Keys))
	case c.Integration.Keys[key] == "":
		wrong("webhooks.key", "%q is none of integration.keys", key)
	}
}

// webhookKey names the API key that signs webhooks.
func (c *Config) webhookKey() string {
	if c.Webhooks.Key == "" && len(c.Integration.Keys) == 1 {
		for key := range c.Integration.Keys {
			return key
		}
	}
	return c.Webhooks.Key
}

// oneLine joins what is wrong into one line, which is what an operator's log
// shows of it.
func oneLine(faults []error) error {
	if len(faults) == 0 {
		return nil
	}
	texts := make([]string, len(faults))
	for i, f := range faults {
		texts[i] = strings.ReplaceAll(f.Error(), "\n", " ")
	}
	return errors.New(strings.Join(texts, "; "))
}
