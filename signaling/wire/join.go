package wire

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"time"

	"github.com/gorilla/websocket"
	"github.com/livekit/protocol/livekit"
	"google.golang.org/protobuf/proto"

	"aparte/sfu"
)

// authorizeLimit is how long the Authorizer may take: clients give a join 5 s.
const authorizeLimit = 4 * time.Second

// join is a request that passed every check before the upgrade.
type join struct {
	token string

	req    *joinRequest
	grant  *Grant
	params sfu.JoinParams
}

// check does everything that can refuse a client, because after the upgrade a
// refusal would look like a network fault to a browser.
func (s *Server) check(r *http.Request, v1 bool) (*join, error) {
	text := token(r)
	if text == "" {
		return nil, fmt.Errorf("%w: no token", ErrUnauthorized)
	}
	ctx, cancel := context.WithTimeout(r.Context(), authorizeLimit)
	defer cancel()
	asked := time.Now()
	grant, err := s.cfg.Authorizer.Authorize(ctx, text)
	if err != nil {
		return nil, err
	}
	if grant.Video == nil || !grant.Video.RoomJoin {
		return nil, fmt.Errorf("%w: the token does not allow joining", ErrUnauthorized)
	}
	if grant.Identity == "" || grant.Room == "" {
		return nil, fmt.Errorf("%w: the token names no identity or no room", errBadRequest)
	}
	if len(grant.Identity) > maxNameBytes || len(grant.Room) > maxNameBytes || len(grant.Name) > maxNameBytes {
		return nil, fmt.Errorf("%w: room, identity or name over %d bytes", errBadRequest, maxNameBytes)
	}
	req, err := parseRequest(r, v1)
	if err != nil {
		return nil, err
	}
	if proto.Size(req.ClientInfo) > maxClientInfo {
		return nil, fmt.Errorf("%w: client info over %d bytes", errBadRequest, maxClientInfo)
	}
	params, err := joinParams(req, grant)
	if err != nil {
		return nil, err
	}
	params.Authorized = asked
	if err := s.cfg.SFU.Admits(params); err != nil {
		return nil, err
	}
	return &join{token: text, req: req, grant: grant, params: params}, nil
}

// joinParams merges what the token says with what the client adds, which needs
// the right to change its own metadata.
func joinParams(req *joinRequest, grant *Grant) (sfu.JoinParams, error) {
	metadata, attributes := grant.Metadata, maps.Clone(grant.Attributes)
	if req.Metadata != "" || len(req.ParticipantAttributes) > 0 {
		if !grant.Video.GetCanUpdateOwnMetadata() {
			return sfu.JoinParams{}, fmt.Errorf("%w: the token does not allow own metadata", ErrUnauthorized)
		}
		if req.Metadata != "" {
			metadata = req.Metadata
		}
		for k, v := range req.ParticipantAttributes {
			if v == "" {
				continue
			}
			if attributes == nil {
				attributes = map[string]string{}
			}
			attributes[k] = v
		}
	}
	if len(metadata) > maxMetadataBytes || attributesBytes(attributes) > maxAttributesBytes {
		return sfu.JoinParams{}, fmt.Errorf("%w: metadata or attributes over %d bytes", errBadRequest, maxMetadataBytes)
	}
	return sfu.JoinParams{
		Room:           sfu.RoomKey{Space: grant.Space, Name: grant.Room},
		Identity:       grant.Identity,
		Name:           grant.Name,
		Metadata:       metadata,
		Attributes:     attributes,
		Kind:           grant.Kind,
		KindDetails:    grant.KindDetails,
		Permission:     grant.Video.ToPermission(),
		Admin:          grant.Video.RoomAdmin,
		RoomConfig:     grant.RoomConfig,
		Client:         req.ClientInfo,
		Ways:           grant.Ways,
		SingleConn:     req.single,
		AutoSubscribe:  req.ConnectionSettings.GetAutoSubscribe(),
		FullICE:        req.ConnectionSettings.GetDisableIceLite(),
		AddTracks:      req.AddTrackRequests,
		PublisherOffer: req.PublisherOffer,
		SyncState:      req.SyncState,
		ParticipantSID: req.ParticipantSid,
	}, nil
}

func attributesBytes(m map[string]string) (n int) {
	for k, v := range m {
		n += len(k) + len(v)
	}
	return n
}

// session runs one upgraded connection to its end.
func (s *Server) session(ws *websocket.Conn, j *join) {
	log := s.cfg.Log.With("room", j.grant.Room, "participant", j.grant.Identity)
	c := newConn(ws, log, &s.counters)
	c.terse = j.params.Client.GetSdk() == livekit.ClientInfo_RUST && j.params.Client.GetProtocol() < 10
	defer c.end()
	stop := context.AfterFunc(s.ctx, c.Close)
	defer stop()

	enter := s.cfg.SFU.Join
	if j.req.Reconnect {
		enter = s.cfg.SFU.Resume
	}
	session, err := enter(j.params, c)
	if errors.Is(err, sfu.ErrSilent) {
		return
	}
	if err != nil {
		s.counters.refusedLate.Add(1)
		c.Send(refusal(err))
		log.Info("session refused", "error", err)
		return
	}
	whole := false
	defer func() {
		if !whole { // a bug of ours: whether the session may stay was not decided
			session.Remove(livekit.DisconnectReason_STATE_MISMATCH)
		}
	}()
	if s.stillAllowed(s.ctx, j, session) {
		refresh := s.refresh(j.grant, session, c)
		defer refresh.stop()
		c.readLoop(session)
		session.SignalLost(c)
	}
	whole = true
}

// stillAllowed asks again after the session exists: a removal decided between
// the first check and the join found nobody to remove.
func (s *Server) stillAllowed(ctx context.Context, j *join, session *sfu.Session) bool {
	ctx, cancel := context.WithTimeout(ctx, authorizeLimit)
	defer cancel()
	if _, err := s.cfg.Authorizer.Authorize(ctx, j.token); err != nil {
		s.cfg.Log.Info("grant ended while joining", "room", j.grant.Room, "participant", j.grant.Identity, "error", err)
		session.Remove(livekit.DisconnectReason_PARTICIPANT_REMOVED)
		return false
	}
	return true
}

// refusal tells a client what to do about a join that failed after the upgrade.
func refusal(err error) *livekit.SignalResponse {
	leave := &livekit.LeaveRequest{Reason: livekit.DisconnectReason_JOIN_FAILURE, Action: livekit.LeaveRequest_DISCONNECT}
	switch {
	case errors.Is(err, sfu.ErrNoSession):
		// Neither 401 (JS gives up) nor 404 (JS resumes again): a new join.
		leave.Reason, leave.Action, leave.CanReconnect = livekit.DisconnectReason_STATE_MISMATCH, livekit.LeaveRequest_RECONNECT, true
	case errors.Is(err, sfu.ErrClosing):
		leave.Reason, leave.Action, leave.CanReconnect = livekit.DisconnectReason_SERVER_SHUTDOWN, livekit.LeaveRequest_RECONNECT, true
	}
	return &livekit.SignalResponse{Message: &livekit.SignalResponse_Leave{Leave: leave}}
}
