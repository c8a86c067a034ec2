package wire

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/livekit/protocol/livekit"
)

// errBadRequest is wrapped by what the client can only fix in its request (400).
var errBadRequest = errors.New("bad request")

// Limits on what a client says about itself, in bytes.
const (
	maxNameBytes       = 256 // room, identity, name
	maxMetadataBytes   = 64 << 10
	maxAttributesBytes = 64 << 10
	maxClientInfo      = 4 << 10 // capabilities are told to everyone
)

// joinRequest is a join in either form, before anyone is asked for permission.
type joinRequest struct {
	*livekit.JoinRequest
	single bool // one peer connection (protocol v1)
}

// token takes the bearer token from the header (native SDKs), else from the
// query (browsers cannot set headers on a WebSocket).
func token(r *http.Request) string {
	if h := r.Header.Get("Authorization"); h != "" {
		scheme, t, ok := strings.Cut(h, " ")
		if ok && strings.EqualFold(scheme, "Bearer") {
			return strings.TrimSpace(t)
		}
		return ""
	}
	return r.URL.Query().Get("access_token")
}

// parseRequest reads the query. A join_request parameter makes it v1 on either path.
func parseRequest(r *http.Request, v1 bool) (*joinRequest, error) {
	q := r.URL.Query()
	if text := q.Get("join_request"); text != "" {
		req, err := decodeJoinRequest(text)
		if err != nil {
			return nil, fmt.Errorf("%w: join_request: %w", errBadRequest, err)
		}
		return &joinRequest{JoinRequest: req, single: true}, nil
	}
	if v1 {
		return nil, fmt.Errorf("%w: join_request is missing", errBadRequest)
	}
	req, err := parseQuery(q)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errBadRequest, err)
	}
	return &joinRequest{JoinRequest: req}, nil
}

// parseQuery reads the plain parameters of protocol v0.
func parseQuery(q url.Values) (*livekit.JoinRequest, error) {
	number := func(key string) int32 {
		n, err := strconv.ParseInt(q.Get(key), 10, 32)
		if err != nil {
			return 0
		}
		return int32(n)
	}
	settings := &livekit.ConnectionSettings{
		AutoSubscribe:  q.Get("auto_subscribe") == "" || isTrue(q.Get("auto_subscribe")),
		AdaptiveStream: isTrue(q.Get("adaptive_stream")),
		DisableIceLite: isTrue(q.Get("disable_ice_lite")),
	}
	if v := q.Get("subscriber_allow_pause"); v != "" {
		allow := isTrue(v)
		settings.SubscriberAllowPause = &allow
	}
	if v := q.Get("auto_subscribe_data_track"); v != "" {
		auto := isTrue(v)
		settings.AutoSubscribeDataTrack = &auto
	}
	attributes, err := parseAttributes(q.Get("attributes"))
	if err != nil {
		return nil, err
	}
	return &livekit.JoinRequest{
		ClientInfo: &livekit.ClientInfo{
			Sdk:            sdkOf(q.Get("sdk")),
			Version:        q.Get("version"),
			Protocol:       number("protocol"),
			Os:             q.Get("os"),
			OsVersion:      q.Get("os_version"),
			DeviceModel:    q.Get("device_model"),
			Browser:        q.Get("browser"),
			BrowserVersion: q.Get("browser_version"),
			Network:        q.Get("network"),
			ClientProtocol: number("client_protocol"),
			Capabilities:   parseCapabilities(q.Get("capabilities")),
		},
		ConnectionSettings:    settings,
		ParticipantAttributes: attributes,
		Reconnect:             isTrue(q.Get("reconnect")),
		ReconnectReason:       livekit.ReconnectReason(number("reconnect_reason")),
		ParticipantSid:        q.Get("sid"),
	}, nil
}

func isTrue(v string) bool { return v == "1" || strings.EqualFold(v, "true") }

func sdkOf(name string) livekit.ClientInfo_SDK {
	return livekit.ClientInfo_SDK(livekit.ClientInfo_SDK_value[strings.ToUpper(strings.ReplaceAll(name, "-", "_"))])
}

// parseCapabilities takes numbers and names; unknown ones are left out.
func parseCapabilities(list string) []livekit.ClientInfo_Capability {
	var out []livekit.ClientInfo_Capability
	for item := range strings.SplitSeq(list, ",") {
		item = strings.TrimSpace(item)
		if n, err := strconv.ParseInt(item, 10, 32); err == nil {
			if _, known := livekit.ClientInfo_Capability_name[int32(n)]; known && n != 0 {
				out = append(out, livekit.ClientInfo_Capability(n))
			}
			continue
		}
		name := strings.ToUpper(item)
		if n, known := livekit.ClientInfo_Capability_value[name]; known && n != 0 {
			out = append(out, livekit.ClientInfo_Capability(n))
		} else if n, known := livekit.ClientInfo_Capability_value["CAP_"+name]; known && n != 0 {
			out = append(out, livekit.ClientInfo_Capability(n))
		}
	}
	return out
}

// parseAttributes reads base64url JSON of strings, as protocol v0 sends them.
func parseAttributes(text string) (map[string]string, error) {
	if text == "" {
		return nil, nil
	}
	raw, err := decodeBase64URL(text)
	if err != nil {
		return nil, fmt.Errorf("attributes: %w", err)
	}
	var m map[string]string
	if err := json.Unmarshal(raw, &m); err != nil {
		return nil, fmt.Errorf("attributes: %w", err)
	}
	return m, nil
}

// decodeBase64URL takes both alphabets, with or without padding: SDKs differ.
func decodeBase64URL(text string) ([]byte, error) {
	text = strings.TrimRight(text, "=")
	text = strings.NewReplacer("+", "-", "/", "_", " ", "-").Replace(text)
	return base64.RawURLEncoding.DecodeString(text)
}
