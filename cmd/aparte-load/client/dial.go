package client

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gorilla/websocket"
	"github.com/livekit/protocol/livekit"
	"google.golang.org/protobuf/proto"
)

// protocolVersion of the signals, what livekit-client 2.23 says.
const protocolVersion = 17

// maxMessage is the longest message taken from a server, in bytes.
const maxMessage = 8 << 20

const writeLimit = 10 * time.Second

// firstMessage is how long a server may take to begin, as in livekit-client.
const firstMessage = 5 * time.Second

// dialer has small buffers: a load has thousands of sockets.
var dialer = &websocket.Dialer{Proxy: http.ProxyFromEnvironment, HandshakeTimeout: 15 * time.Second, ReadBufferSize: 4096, WriteBufferSize: 1024}

// RefusedError is a join that the server answered with an HTTP status.
type RefusedError struct {
	Status int
	Reason string
}

func (r *RefusedError) Error() string { return fmt.Sprintf("refused with %d: %s", r.Status, r.Reason) }

// dial opens the signal connection: a join, or a resume of sid when it is given.
func (c *Client) dial(ctx context.Context, sid string, offer *livekit.SessionDescription) (*websocket.Conn, error) {
	u, err := url.Parse(c.cfg.URL)
	if err != nil {
		return nil, err
	}
	switch u.Scheme {
	case "http":
		u.Scheme = "ws"
	case "https":
		u.Scheme = "wss"
	}
	q := url.Values{"access_token": {c.cfg.Token}}
	u.Path = strings.TrimRight(u.Path, "/") + "/rtc"
	if c.cfg.Single {
		u.Path += "/v1"
		text, err := c.joinRequest(sid, offer)
		if err != nil {
			return nil, err
		}
		q.Set("join_request", text)
	} else {
		c.plainQuery(q, sid)
	}
	u.RawQuery = q.Encode()
	ws, resp, err := dialer.DialContext(ctx, u.String(), nil)
	if err != nil {
		return nil, dialError(err, resp)
	}
	ws.SetReadLimit(maxMessage)
	return ws, nil
}

func dialError(err error, resp *http.Response) error {
	if resp == nil {
		return err
	}
	defer resp.Body.Close()
	if !errors.Is(err, websocket.ErrBadHandshake) {
		return err
	}
	body, readErr := io.ReadAll(io.LimitReader(resp.Body, 200))
	if readErr != nil {
		body = nil // the status says enough
	}
	return &RefusedError{Status: resp.StatusCode, Reason: strings.TrimSpace(string(body))}
}

// plainQuery is the join of protocol v0.
func (c *Client) plainQuery(q url.Values, sid string) {
	q.Set("protocol", fmt.Sprint(protocolVersion))
	q.Set("sdk", "js")
	q.Set("version", "2.23.0")
	q.Set("auto_subscribe", "0")
	if c.cfg.Subscribe {
		q.Set("auto_subscribe", "1")
	}
	if sid != "" {
		q.Set("reconnect", "1")
		q.Set("sid", sid)
	}
}

// joinRequest is that of v1, which carries the first offer.
func (c *Client) joinRequest(sid string, offer *livekit.SessionDescription) (string, error) {
	raw, err := proto.Marshal(&livekit.JoinRequest{
		ClientInfo:         &livekit.ClientInfo{Sdk: livekit.ClientInfo_JS, Version: "2.23.0", Protocol: protocolVersion},
		ConnectionSettings: &livekit.ConnectionSettings{AutoSubscribe: c.cfg.Subscribe},
		PublisherOffer:     offer,
		Reconnect:          sid != "",
		ParticipantSid:     sid,
	})
	if err != nil {
		return "", err
	}
	wrapped, err := proto.Marshal(&livekit.WrappedJoinRequest{JoinRequest: raw})
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(wrapped), nil
}

// receive reads one message.
func receive(ws *websocket.Conn) (*livekit.SignalResponse, error) {
	for {
		kind, raw, err := ws.ReadMessage()
		if err != nil {
			return nil, err
		}
		if kind != websocket.BinaryMessage {
			continue
		}
		m := &livekit.SignalResponse{}
		return m, proto.Unmarshal(raw, m)
	}
}

// first reads the first message, within the time a client gives.
func first(ws *websocket.Conn) (*livekit.SignalResponse, error) {
	if err := ws.SetReadDeadline(time.Now().Add(firstMessage)); err != nil {
		return nil, err
	}
	m, err := receive(ws)
	if err != nil {
		return nil, fmt.Errorf("first message: %w", err)
	}
	return m, ws.SetReadDeadline(time.Time{})
}

// send writes one message. Only run and those before it write.
func (c *Client) send(m *livekit.SignalRequest) {
	if c.ws == nil {
		return
	}
	raw, err := proto.Marshal(m)
	if err != nil {
		return // what we make does marshal
	}
	if err = c.ws.SetWriteDeadline(time.Now().Add(writeLimit)); err == nil {
		err = c.ws.WriteMessage(websocket.BinaryMessage, raw)
	}
	if err != nil {
		// The reader of the same socket finds out and tells.
		_ = c.ws.Close()
	}
}
