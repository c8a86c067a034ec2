package sfu

import (
	"slices"
	"time"

	"github.com/livekit/protocol/livekit"
	"google.golang.org/protobuf/proto"

	"aparte/sfu/publish"
)

// publish announces a track to everybody and lets those who want it have it.
// It returns false when the session is no longer in or may not publish: the
// caller closes the media then.
func (r *room) publish(s *Session, info *livekit.TrackInfo, media *publish.Track) bool {
	req := &publishRequest{s: s, info: info, media: media, reply: make(chan bool, 1)}
	return r.ask(req) && <-req.reply
}

type publishRequest struct {
	s     *Session
	info  *livekit.TrackInfo
	media *publish.Track
	reply chan bool
}

func (q *publishRequest) serve(r *room) {
	m := r.member(q.s)
	if m == nil || !m.info.Permission.GetCanPublish() || !sourceAllowed(m.info.Permission, q.info.Type, q.info.Source) {
		q.reply <- false
		return
	}
	r.tracks = append(r.tracks, &track{
		owner: m, info: q.info, media: q.media, wishes: map[*member]wish{}, demands: newDemands(q.info), begun: time.Now(),
	})
	first := !m.info.IsPublisher
	m.change(func(p *livekit.ParticipantInfo) {
		p.IsPublisher = true
		p.Tracks = append(p.Tracks, q.info)
	})
	if first {
		r.membersChanged()
	}
	// The announcement comes before the SDP that carries the track: clients
	// drop tracks of participants they have not heard of.
	r.broadcast(m)
	r.reconcileAll()
	r.log.Info("track published", "participant", m.info.Identity, "track", q.info.Sid, "mime", q.info.MimeType)
	r.tell(TrackPublished, m, q.info)
	q.reply <- true
}

type unpublishRequest struct {
	s   *Session
	sid string
}

func (q *unpublishRequest) serve(r *room) {
	if m := r.member(q.s); m != nil {
		r.unpublish(m, func(t *track) bool { return t.info.Sid == q.sid })
	}
}

// unpublish ends a member's tracks that match. When it returns nothing more of
// them is forwarded.
func (r *room) unpublish(m *member, match func(*track) bool) {
	var ended []*track
	r.tracks = slices.DeleteFunc(r.tracks, func(t *track) bool {
		end := t.owner == m && match(t)
		if end {
			ended = append(ended, t)
		}
		return end
	})
	if len(ended) == 0 {
		return
	}
	for _, t := range ended {
		t.close()
		for _, other := range r.members {
			delete(other.explicit, t.info.Sid)
		}
		m.s.send(&livekit.SignalResponse{Message: &livekit.SignalResponse_TrackUnpublished{
			TrackUnpublished: &livekit.TrackUnpublishedResponse{TrackSid: t.info.Sid},
		}})
		r.log.Info("track unpublished", "participant", m.info.Identity, "track", t.info.Sid)
		r.tell(TrackUnpublished, m, t.info)
	}
	m.change(func(p *livekit.ParticipantInfo) {
		p.Tracks = r.infosOf(m)
		p.IsPublisher = len(p.Tracks) > 0
	})
	r.membersChanged()
	r.broadcast(m)
	r.reconcileAll()
}

func (r *room) infosOf(m *member) []*livekit.TrackInfo {
	var out []*livekit.TrackInfo
	for _, t := range r.tracks {
		if t.owner == m {
			out = append(out, t.info)
		}
	}
	return out
}

// trackOf finds a member's own track.
func (r *room) trackOf(m *member, sid string) *track {
	for _, t := range r.tracks {
		if t.owner == m && t.info.Sid == sid {
			return t
		}
	}
	return nil
}

// changeTrack replaces a track's info by a changed copy and tells everybody.
func (r *room) changeTrack(t *track, edit func(*livekit.TrackInfo)) {
	info := proto.CloneOf(t.info)
	edit(info)
	if info.Muted != t.info.Muted {
		t.mutedAt = time.Now()
	}
	t.info = info
	r.showTaps()
	t.owner.change(func(p *livekit.ParticipantInfo) { p.Tracks = r.infosOf(t.owner) })
	r.broadcast(t.owner)
}

type muteRequest struct {
	s     *Session
	sid   string
	muted bool
}

func (q *muteRequest) serve(r *room) {
	m := r.member(q.s)
	if m == nil {
		return
	}
	if t := r.trackOf(m, q.sid); t != nil && t.info.Muted != q.muted {
		r.changeTrack(t, func(i *livekit.TrackInfo) { i.Muted = q.muted })
	}
}

// trackInfoRequest changes what a publisher says about its own track.
type trackInfoRequest struct {
	s     *Session
	sid   string
	audio *livekit.UpdateLocalAudioTrack
	video *livekit.UpdateLocalVideoTrack
}

func (q *trackInfoRequest) serve(r *room) {
	m := r.member(q.s)
	if m == nil {
		return
	}
	t := r.trackOf(m, q.sid)
	if t == nil {
		return
	}
	r.changeTrack(t, func(i *livekit.TrackInfo) {
		if q.audio != nil && len(q.audio.Features) <= 16 {
			i.AudioFeatures = q.audio.Features
			i.Stereo = slices.Contains(q.audio.Features, livekit.AudioTrackFeature_TF_STEREO)     //nolint:staticcheck // clients still read it
			i.DisableDtx = slices.Contains(q.audio.Features, livekit.AudioTrackFeature_TF_NO_DTX) //nolint:staticcheck // clients still read it
		}
		if q.video != nil {
			i.Width, i.Height = q.video.Width, q.video.Height
		}
	})
}

// subscriptionRequest is explicit wishes, against or with auto-subscription.
type subscriptionRequest struct {
	s   *Session
	msg *livekit.UpdateSubscription
}

func (q *subscriptionRequest) serve(r *room) {
	m := r.member(q.s)
	if m == nil {
		return
	}
	note := func(sid string) {
		if len(sid) > maxSID {
			return
		}
		if _, known := m.explicit[sid]; !known && len(m.explicit) >= r.sfu.cfg.Limits.SubscriptionNotes {
			return
		}
		m.explicit[sid] = q.msg.Subscribe
		if q.msg.Subscribe && !r.published(sid) {
			// It is kept: should the track come, it is sent.
			m.s.send(&livekit.SignalResponse{Message: &livekit.SignalResponse_SubscriptionResponse{
				SubscriptionResponse: &livekit.SubscriptionResponse{TrackSid: sid, Err: livekit.SubscriptionError_SE_TRACK_NOTFOUND},
			}})
		}
	}
	for _, sid := range q.msg.GetTrackSids() {
		note(sid)
	}
	for _, p := range q.msg.GetParticipantTracks() {
		for _, sid := range p.GetTrackSids() {
			note(sid)
		}
	}
	r.reconcile(m)
}

func (r *room) published(sid string) bool {
	return slices.ContainsFunc(r.tracks, func(t *track) bool { return t.info.Sid == sid })
}

// subscriptionPermissionRequest says who may subscribe to a member's tracks.
type subscriptionPermissionRequest struct {
	s   *Session
	msg *livekit.SubscriptionPermission
}

func (q *subscriptionPermissionRequest) serve(r *room) {
	m := r.member(q.s)
	if m == nil || !reasonable(q.msg) {
		return
	}
	m.allows = q.msg
	r.reconcileAll()
}

// reasonable bounds what is looked through at every later change in the room.
func reasonable(p *livekit.SubscriptionPermission) bool {
	if len(p.GetTrackPermissions()) > 500 {
		return false
	}
	return !slices.ContainsFunc(p.GetTrackPermissions(), func(t *livekit.TrackPermission) bool {
		return len(t.TrackSids) > 64 || slices.ContainsFunc(t.TrackSids, func(sid string) bool { return len(sid) > maxSID })
	})
}

// allowed applies a publisher's permission to one subscriber. Recorders are exempt.
func allowed(p *livekit.SubscriptionPermission, m *member, t *track) bool {
	if p == nil || p.AllParticipants || m.recorder() {
		return true
	}
	for _, tp := range p.TrackPermissions {
		if tp.ParticipantSid != m.info.Sid && tp.ParticipantIdentity != m.info.Identity {
			continue
		}
		if tp.AllTracks || slices.Contains(tp.TrackSids, t.info.Sid) {
			return true
		}
	}
	return false
}

// tellAllowed tells a member what changed in whose tracks it may subscribe to.
func (r *room) tellAllowed(m *member) {
	if m.waiting() {
		return
	}
	denied := map[string]bool{}
	for _, t := range r.tracks {
		sid := t.info.Sid
		is := t.owner == m || allowed(t.owner.allows, m, t)
		if !is {
			denied[sid] = true
		}
		if is == m.denied[sid] && m.sees(t.owner) {
			m.s.send(&livekit.SignalResponse{Message: &livekit.SignalResponse_SubscriptionPermissionUpdate{
				SubscriptionPermissionUpdate: &livekit.SubscriptionPermissionUpdate{
					ParticipantSid: t.owner.info.Sid, TrackSid: sid, Allowed: is,
				},
			}})
		}
	}
	m.denied = denied
}

// wants tells whether m is to be sent t. Of hidden participants nothing is sent: the
// description of a stream names its participant.
func wants(m *member, t *track) bool {
	if t.owner == m || t.owner.hidden() || !m.info.Permission.GetCanSubscribe() || !allowed(t.owner.allows, m, t) {
		return false
	}
	if wish, told := m.explicit[t.info.Sid]; told {
		return wish
	}
	return m.s.params.AutoSubscribe
}

// reconcile tells a member's session what to send, and publishers what is wanted
// of them.
func (r *room) reconcile(m *member) {
	r.assign(m)
	r.tellDemand(time.Now())
}

func (r *room) reconcileAll() {
	for _, m := range r.members {
		r.assign(m)
	}
	r.showTaps()
	r.tellDemand(time.Now())
}

func (r *room) assign(m *member) {
	r.tellAllowed(m)
	var list []wanted
	for _, t := range r.tracks {
		is := wants(m, t)
		t.subscribed(m, is)
		if !is {
			continue
		}
		list = append(list, wanted{
			sid:    t.info.Sid,
			stream: t.owner.info.Sid + "|" + t.info.Sid,
			info:   t.info,
			media:  t.media,
			backup: t.backup,
			all:    t.regressed,
		})
		if !t.saidSo && !m.hidden() {
			t.saidSo = true
			t.owner.s.tellSubscribed(t.info.Sid)
		}
	}
	m.s.setWanted(list)
}

// tellSubscribed tells a publisher of its first subscriber.
func (s *Session) tellSubscribed(sid string) {
	if s.params.Client.GetSdk() == livekit.ClientInfo_RUST && s.params.Client.GetProtocol() < 10 {
		return // fails on the unknown message
	}
	s.send(&livekit.SignalResponse{Message: &livekit.SignalResponse_TrackSubscribed{
		TrackSubscribed: &livekit.TrackSubscribed{TrackSid: sid},
	}})
}
