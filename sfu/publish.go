package sfu

import (
	"slices"

	"github.com/livekit/protocol/livekit"
	"google.golang.org/protobuf/proto"

	"aparte/sfu/publish"
	"aparte/sfu/transport"
)

// localTrack is a track this client announced with AddTrack; it is published
// once a section of an offer was negotiated for it.
type localTrack struct {
	cid   string
	req   *livekit.AddTrackRequest
	info  *livekit.TrackInfo // replaced, never changed
	media *publish.Track     // nil until published
	mid   string
	of    *localTrack // the track that this is the backup encoding of; nil for tracks
}

// maxAddTrack bounds what everyone is told about a track, in bytes; SDKs send
// about 300.
const maxAddTrack = 4096

// addTrack answers at once: the client waits for the sid before it offers, but
// may also have offered already.
func (s *Session) addTrack(req *livekit.AddTrackRequest) {
	if reason, text := s.mayAdd(req); reason != livekit.RequestResponse_OK {
		s.refuseTrack(req, reason, text)
		return
	}
	for _, t := range s.local {
		if t.cid != req.Cid || (t.of != nil) != (req.Sid != "") {
			continue
		}
		if t.media == nil {
			s.tellPublished(t) // asked twice: the same answer
			return
		}
		s.queued = append(s.queued, req) // answered when the old one is gone
		s.refuseTrack(req, livekit.RequestResponse_QUEUED, "the cid is in use")
		return
	}
	t := &localTrack{cid: req.Cid, req: req}
	if t.of = s.backedUp(req.Sid); t.of != nil {
		t.info = backupInfo(t.of.info, req)
	} else {
		t.info = trackInfo(req)
	}
	s.local = append(s.local, t)
	s.tellPublished(t)
	if s.sections != nil {
		s.match() // the offer may have come first
		s.pub.SetSections(s.receiving())
	}
}

func (s *Session) refuseTrack(req *livekit.AddTrackRequest, reason livekit.RequestResponse_Reason, text string) {
	if reason != livekit.RequestResponse_QUEUED {
		s.room.sfu.counters.tracksRefused.Add(1)
	}
	s.respond(&livekit.RequestResponse{
		Reason: reason, Message: text, Request: &livekit.RequestResponse_AddTrack{AddTrack: req},
	})
}

func (s *Session) tellPublished(t *localTrack) {
	info := t.info
	if t.of != nil {
		info = t.of.info // with both codecs
	}
	s.send(&livekit.SignalResponse{Message: &livekit.SignalResponse_TrackPublished{
		TrackPublished: &livekit.TrackPublishedResponse{Cid: t.cid, Track: info},
	}})
}

func (s *Session) mayAdd(req *livekit.AddTrackRequest) (livekit.RequestResponse_Reason, string) {
	p := s.permission.Load()
	switch {
	case req.GetType() != livekit.TrackType_AUDIO && req.GetType() != livekit.TrackType_VIDEO:
		return livekit.RequestResponse_UNSUPPORTED_TYPE, "only audio and video tracks"
	case req.Cid == "" || len(req.Layers) > publish.MaxLayers || proto.Size(req) > maxAddTrack:
		return livekit.RequestResponse_INVALID_REQUEST, "cid missing, or names, layers or codecs beyond all use"
	case !p.GetCanPublish() || !sourceAllowed(p, req.Source):
		return livekit.RequestResponse_NOT_ALLOWED, "the token does not allow publishing this"
	case req.Sid != "" && s.backedUp(req.Sid) == nil:
		return livekit.RequestResponse_NOT_FOUND, "no such track, or none with a backup codec"
	case len(s.local)+len(s.queued) >= s.room.sfu.cfg.Limits.TracksPerMember:
		return livekit.RequestResponse_LIMIT_EXCEEDED, "too many tracks"
	}
	return livekit.RequestResponse_OK, ""
}

func sourceAllowed(p *livekit.ParticipantPermission, source livekit.TrackSource) bool {
	return len(p.GetCanPublishSources()) == 0 || slices.Contains(p.GetCanPublishSources(), source)
}

// trackInfo echoes the request, in the deprecated fields too: clients read them.
func trackInfo(req *livekit.AddTrackRequest) *livekit.TrackInfo {
	info := &livekit.TrackInfo{
		Sid:                   newSID(sidPrefix(req)),
		Type:                  req.Type,
		Name:                  req.Name,
		Muted:                 req.Muted,
		Width:                 req.Width,
		Height:                req.Height,
		Source:                req.Source,
		Stream:                req.Stream,
		Encryption:            req.Encryption,
		AudioFeatures:         req.AudioFeatures,
		BackupCodecPolicy:     req.BackupCodecPolicy,
		PacketTrailerFeatures: req.PacketTrailerFeatures,
		Stereo:                req.Stereo || slices.Contains(req.AudioFeatures, livekit.AudioTrackFeature_TF_STEREO),     //nolint:staticcheck // clients still read it
		DisableDtx:            req.DisableDtx || slices.Contains(req.AudioFeatures, livekit.AudioTrackFeature_TF_NO_DTX), //nolint:staticcheck // clients still read it
		DisableRed:            req.DisableRed || req.Encryption != livekit.Encryption_NONE,                               // nobody but the ends can unwrap it
	}
	if info.Stream == "" {
		info.Stream = defaultStream(req.Source)
	}
	info.Codecs = codecInfos(req)
	info.MimeType = info.Codecs[0].MimeType
	info.Layers = info.Codecs[0].Layers                                        //nolint:staticcheck // clients still read it
	info.Simulcast = len(info.Layers) > 1 && oneLayerPerStream(info.Codecs[0]) //nolint:staticcheck // clients still read it
	return info
}

// sidPrefix tells kind and source apart in logs, as LiveKit's own server does.
func sidPrefix(req *livekit.AddTrackRequest) string {
	kind := "A"
	if req.Type == livekit.TrackType_VIDEO {
		kind = "V"
	}
	source := map[livekit.TrackSource]string{
		livekit.TrackSource_CAMERA: "C", livekit.TrackSource_MICROPHONE: "M",
		livekit.TrackSource_SCREEN_SHARE: "S", livekit.TrackSource_SCREEN_SHARE_AUDIO: "s",
	}[req.Source]
	return "TR_" + kind + source
}

func defaultStream(s livekit.TrackSource) string {
	if s == livekit.TrackSource_SCREEN_SHARE || s == livekit.TrackSource_SCREEN_SHARE_AUDIO {
		return "screen"
	}
	return "camera"
}

// match pairs the sections the client sends on with announced tracks, and tells
// the room about what is new and what ended.
func (s *Session) match() {
	s.unpublishEnded()
	for i := range s.sections {
		sec := &s.sections[i]
		if !sec.Sends || len(sec.Codecs) == 0 || s.at(sec.MID) != nil {
			continue
		}
		if t := s.pendingFor(sec); t != nil {
			s.publish(t, sec)
		}
	}
}

// at is the track published on a section.
func (s *Session) at(mid string) *localTrack {
	for _, t := range s.local {
		if t.media != nil && t.mid == mid {
			return t
		}
	}
	return nil
}

// pendingFor finds the announced track of a section: by the id in its msid,
// else the first of its kind that no other section names. Firefox invents the
// msid's track id, so the second is its normal path.
func (s *Session) pendingFor(sec *transport.Section) *localTrack {
	var byKind *localTrack
	for _, t := range s.local {
		if t.media != nil || kindOf(t.info) != sec.Kind {
			continue
		}
		if t.names(sec.TrackID) {
			return t
		}
		if byKind == nil && !s.namedElsewhere(t) {
			byKind = t
		}
	}
	return byKind
}

func (s *Session) namedElsewhere(t *localTrack) bool {
	for i := range s.sections {
		if sec := &s.sections[i]; sec.Sends && sec.Kind == kindOf(t.info) && t.names(sec.TrackID) {
			return true
		}
	}
	return false
}

func (t *localTrack) names(id string) bool {
	if id == "" {
		return false
	}
	return t.cid == id || slices.ContainsFunc(t.req.SimulcastCodecs, func(c *livekit.SimulcastCodec) bool { return c.Cid == id })
}

func kindOf(info *livekit.TrackInfo) publish.Kind {
	if info.Type == livekit.TrackType_AUDIO {
		return publish.Audio
	}
	return publish.Video
}

// publish makes the media track of a negotiated section and tells the room.
func (s *Session) publish(t *localTrack, sec *transport.Section) {
	info := proto.CloneOf(t.info)
	info.Mid = sec.MID
	primary := info.Codecs[0]
	primary.Mid = sec.MID
	if sec.TrackID != t.cid {
		primary.SdpCid = sec.TrackID
	}
	setMime(primary, s.choose(info, sec))
	info.MimeType = primary.MimeType
	t.info, t.mid = info, sec.MID
	if t.of != nil {
		s.publishBackup(t)
		return
	}
	t.media = publish.NewTrack(publish.TrackConfig{
		ID: info.Sid, Kind: sec.Kind, Floor: s.room.floorFor(info), Owner: s.sid,
		Sealed: info.Encryption != livekit.Encryption_NONE,
	})
	t.media.SetMuted(info.Muted)
	if !s.room.publish(s, info, t.media) {
		t.media.Close() // the session ended, or may not publish any more
	}
}

// unpublishEnded ends tracks whose section sends no more: there is no other
// message for that.
func (s *Session) unpublishEnded() {
	sends := map[string]bool{}
	for i := range s.sections {
		sec := &s.sections[i]
		sends[sec.MID] = sec.Sends && !s.handedOver(sec)
	}
	s.endTracks(func(t *localTrack) bool { return t.media != nil && !sends[t.mid] })
}

// handedOver tells whether a section now carries another track than the one that is
// published on it: the client ended that one and used its section again before it
// offered. It names the new one then.
func (s *Session) handedOver(sec *transport.Section) bool {
	if now := s.at(sec.MID); now == nil || now.names(sec.TrackID) {
		return false
	}
	return slices.ContainsFunc(s.local, func(t *localTrack) bool {
		return t.media == nil && kindOf(t.info) == sec.Kind && t.names(sec.TrackID)
	})
}

// endTracks unpublishes those that match and lets in what waited for their cid.
func (s *Session) endTracks(match func(*localTrack) bool) {
	ended := false
	s.local = slices.DeleteFunc(s.local, func(t *localTrack) bool {
		if !match(t) {
			return false
		}
		ended = true
		if t.of != nil {
			s.room.ask(&backupEnded{s, t.info.Sid})
		} else {
			s.room.ask(&unpublishRequest{s, t.info.Sid})
		}
		return true
	})
	if ended {
		s.dropBackups()
		s.takeQueued()
	}
}

// takeQueued lets in what waited for a cid.
func (s *Session) takeQueued() {
	waiting := s.queued
	s.queued = nil
	for _, req := range waiting {
		s.addTrack(req)
	}
}

// receiving describes the sections we take packets on.
func (s *Session) receiving() []publish.Section {
	var out []publish.Section
	for i := range s.sections {
		sec := &s.sections[i]
		if !sec.Sends || len(sec.Codecs) == 0 {
			continue
		}
		p := publish.Section{MID: sec.MID, Kind: sec.Kind, Codecs: sec.Codecs, Ext: sec.Ext, SSRCs: sec.SSRCs, RIDs: sec.RIDs}
		if t := s.at(sec.MID); t != nil {
			p.Track = t.media
		}
		out = append(out, p)
	}
	return out
}

func (s *Session) mute(m *livekit.MuteTrackRequest) {
	for _, t := range s.local {
		if t.info.Sid != m.GetSid() || t.info.Muted == m.Muted {
			continue
		}
		t.info = proto.CloneOf(t.info)
		t.info.Muted = m.Muted
		if t.media != nil {
			t.media.SetMuted(m.Muted)
			if t.of == nil {
				s.room.ask(&muteRequest{s, m.Sid, m.Muted})
			}
		}
	}
}
