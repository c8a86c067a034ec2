package sfu

import (
	"slices"

	"github.com/livekit/protocol/livekit"
	"google.golang.org/protobuf/proto"

	"aparte/sfu/codec"
	"aparte/sfu/publish"
	"aparte/sfu/transport"
)

// Backup codecs: a client that publishes VP9 or AV1 names a second codec that
// everybody can decode. It is not sent until somebody needs it: then the publisher
// hears so by dynacast, answers with another AddTrack for the same track, and the
// track has two encodings.
//
//	subscriber's SDP ─▶ decodes? no ─▶ wish.backup ─▶ demand ─▶ AddTrack(sid)
//	    subscribers that need it ◀─ pick ◀─ backupRequest ◀─ section of its own
//
// By policy the primary codec goes on beside it (SIMULCAST), or everybody moves to
// the backup, for good, and the publisher encodes one picture again (the default).

// backupCodec is the second codec of a request, if it is of any use: enabled,
// another than the primary, and not encrypted (clients publish none then).
func backupCodec(req *livekit.AddTrackRequest, primary string) []*livekit.SimulcastCodecInfo {
	if len(req.SimulcastCodecs) < 2 || req.Encryption != livekit.Encryption_NONE {
		return nil
	}
	asked := req.SimulcastCodecs[1]
	mime := enabledMime("video", asked.Codec)
	if mime == primary {
		return nil
	}
	layers := req.Layers
	if n := len(asked.Layers); n > 0 && n <= publish.MaxLayers {
		layers = asked.Layers
	}
	info := &livekit.SimulcastCodecInfo{Cid: asked.Cid, Layers: completeLayers(layers), VideoLayerMode: asked.VideoLayerMode}
	setMime(info, mime)
	return []*livekit.SimulcastCodecInfo{info}
}

// backedUp is the published track of a sid that has a backup codec.
func (s *Session) backedUp(sid string) *localTrack {
	if sid == "" {
		return nil
	}
	for _, t := range s.local {
		if t.of == nil && t.info.Sid == sid && len(t.info.Codecs) > 1 {
			return t
		}
	}
	return nil
}

// backupInfo describes the backup encoding alone: that of the codec said when the
// track was announced, because livekit-client names others here.
func backupInfo(of *livekit.TrackInfo, req *livekit.AddTrackRequest) *livekit.TrackInfo {
	info := proto.CloneOf(of)
	c := info.Codecs[1]
	c.Cid = req.Cid
	layers := req.Layers
	if len(req.SimulcastCodecs) > 0 && len(req.SimulcastCodecs[0].Layers) > 0 {
		layers = req.SimulcastCodecs[0].Layers
	}
	if n := len(layers); n > 0 && n <= publish.MaxLayers {
		c.Layers = completeLayers(layers)
		setMime(c, c.MimeType)
	}
	info.Codecs, info.MimeType = info.Codecs[1:2], c.MimeType
	return info
}

// publishBackup adds the encoding t, whose section was negotiated, to its track.
func (s *Session) publishBackup(t *localTrack) {
	t.media = publish.NewTrack(publish.TrackConfig{ID: t.info.Sid, Kind: publish.Video})
	t.media.SetMuted(t.of.info.Muted)
	t.of.info = proto.CloneOf(t.of.info)
	t.of.info.Codecs[1] = t.info.Codecs[0]
	req := &backupRequest{s: s, sid: t.info.Sid, codec: t.info.Codecs[0], media: t.media, reply: make(chan bool, 1)}
	if !s.room.ask(req) || !<-req.reply {
		t.media.Close()
	}
}

// dropBackups forgets encodings of tracks that ended; the room closed them.
func (s *Session) dropBackups() {
	s.local = slices.DeleteFunc(s.local, func(t *localTrack) bool {
		return t.of != nil && !slices.Contains(s.local, t.of)
	})
}

type backupRequest struct {
	s     *Session
	sid   string
	codec *livekit.SimulcastCodecInfo
	media *publish.Track
	reply chan bool
}

func (q *backupRequest) serve(r *room) {
	var t *track
	if m := r.member(q.s); m != nil {
		t = r.trackOf(m, q.sid)
	}
	if t == nil || t.backup != nil || len(t.info.Codecs) < 2 {
		q.reply <- false
		return
	}
	if t.backup = q.media; t.media.Silenced() {
		t.backup.Silence() // what somebody else muted goes on by no other encoding
	}
	r.changeTrack(t, func(i *livekit.TrackInfo) { i.Codecs[1] = q.codec })
	r.log.Info("backup codec published", "participant", t.owner.info.Identity, "track", q.sid, "mime", q.codec.MimeType)
	t.counted = false
	r.regress(t)
	r.reconcileAll()
	q.reply <- true
}

// backupEnded: the client stopped sending the backup encoding.
type backupEnded struct {
	s   *Session
	sid string
}

func (q *backupEnded) serve(r *room) {
	m := r.member(q.s)
	if m == nil {
		return
	}
	if t := r.trackOf(m, q.sid); t != nil && t.backup != nil {
		t.backup.Close()
		t.backup, t.regressed, t.counted = nil, false, false
		r.reconcileAll()
	}
}

// close ends all encodings of the track; nothing more of them is forwarded then.
func (t *track) close() {
	t.media.Close()
	if t.backup != nil {
		t.backup.Close()
	}
}

// regresses tells whether everybody is to have the backup as soon as it comes.
func (t *track) regresses() bool {
	if t.regressed || len(t.demands) < 2 || t.info.BackupCodecPolicy == livekit.BackupCodecPolicy_SIMULCAST {
		return t.regressed
	}
	for _, w := range t.wishes {
		if w.backup {
			return true
		}
	}
	return false
}

// regress moves everybody to the backup if that is the policy and it is there. They
// stay: a change is a frozen picture.
func (r *room) regress(t *track) {
	if t.regressed || t.backup == nil || !t.regresses() {
		return
	}
	t.regressed = true
	t.counted = false
	r.log.Info("track regressed to its backup codec", "participant", t.owner.info.Identity, "track", t.info.Sid)
	for _, m := range r.members {
		r.assign(m)
	}
	r.showTaps()
}

// pick is the encoding of a track that this client is sent.
func (s *Session) pick(w wanted) *publish.Track {
	if w.backup != nil && (w.all || !s.decodes(w.info)) {
		return w.backup
	}
	return w.media
}

// decodes tells whether the client can show the primary codec of a track, as far
// as its descriptions have said by now.
func (s *Session) decodes(info *livekit.TrackInfo) bool {
	return s.decoders == nil || s.decoders[codec.TypeOf(info.MimeType)]
}

// learnDecoders notes the codecs of the sections that the client receives pictures
// on. It returns true when that changed.
func (s *Session) learnDecoders(sections []transport.Section) bool {
	found := map[codec.Type]bool{}
	for i := range sections {
		if sec := &sections[i]; sec.Receives && sec.Kind == publish.Video {
			for _, c := range sec.Codecs {
				found[c.Type] = true
			}
		}
	}
	if len(found) == 0 {
		return false
	}
	for t := range found {
		if s.decoders == nil || !s.decoders[t] || len(found) != len(s.decoders) {
			s.decoders = found
			return true
		}
	}
	return false
}
