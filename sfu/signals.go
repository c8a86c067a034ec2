package sfu

import "github.com/livekit/protocol/livekit"

// handle does what one message of the client asks. Runs in the session's
// goroutine, in the order of the messages; pings never come this far.
func (s *Session) handle(msg *livekit.SignalRequest) {
	if n := listed(msg); n > maxListed {
		s.send(Refusal(msg, livekit.RequestResponse_LIMIT_EXCEEDED, "too many tracks in one message"))
		return
	} else if n > 0 && !s.paced(s.listRate, n) {
		return
	}
	if n := told(msg); n > 0 && !s.paced(s.tellRate, n) {
		return
	}
	switch m := msg.GetMessage().(type) {
	case *livekit.SignalRequest_Offer:
		s.offered(m.Offer)
	case *livekit.SignalRequest_Answer:
		s.answered(m.Answer)
	case *livekit.SignalRequest_Trickle:
		s.trickled(m.Trickle)
	case *livekit.SignalRequest_AddTrack:
		s.addTrack(m.AddTrack)
	case *livekit.SignalRequest_Mute:
		s.noteMuted() // an administrator's came first
		s.mute(m.Mute)
	case *livekit.SignalRequest_Subscription:
		s.room.ask(&subscriptionRequest{s, m.Subscription})
	case *livekit.SignalRequest_TrackSetting:
		s.trackSettings(m.TrackSetting)
	case *livekit.SignalRequest_SubscriptionPermission:
		s.room.ask(&subscriptionPermissionRequest{s, m.SubscriptionPermission})
	case *livekit.SignalRequest_Leave:
		s.room.ask(&leaveRequest{s, livekit.DisconnectReason_CLIENT_INITIATED, livekit.LeaveRequest_DISCONNECT})
	case *livekit.SignalRequest_SyncState:
		s.syncState(m.SyncState)
	case *livekit.SignalRequest_UpdateMetadata:
		if !s.tellRate.Allow() {
			s.respond(Refusal(msg, livekit.RequestResponse_LIMIT_EXCEEDED, "over 10 changes a second").GetRequestResponse())
			return
		}
		s.room.ask(&metadataRequest{s, m.UpdateMetadata})
	case *livekit.SignalRequest_UpdateAudioTrack:
		s.room.ask(&trackInfoRequest{s: s, sid: m.UpdateAudioTrack.GetTrackSid(), audio: m.UpdateAudioTrack})
	case *livekit.SignalRequest_UpdateVideoTrack:
		s.room.ask(&trackInfoRequest{s: s, sid: m.UpdateVideoTrack.GetTrackSid(), video: m.UpdateVideoTrack})
	case *livekit.SignalRequest_Simulate:
		if !s.room.sfu.cfg.Dev {
			s.respond(&livekit.RequestResponse{Reason: livekit.RequestResponse_NOT_ALLOWED, Message: "scenarios are simulated with --dev alone"})
			return
		}
		s.simulate(m.Simulate)
	case *livekit.SignalRequest_PublishDataTrackRequest, *livekit.SignalRequest_UnpublishDataTrackRequest,
		*livekit.SignalRequest_StoreDataBlobRequest, *livekit.SignalRequest_GetDataBlobRequest:
		s.respond(Refusal(msg, livekit.RequestResponse_UNSUPPORTED_TYPE, "data tracks are not offered here").GetRequestResponse())
	}
}

// told tells how many others' messages one costs: everybody in the room hears of a
// change, and with a track or a permission that comes or goes all of them negotiate
// anew. Such messages are held to a rate, not refused: a mute must never be lost.
// Metadata is refused, because it is large and has an answer of its own.
func told(msg *livekit.SignalRequest) int {
	switch msg.GetMessage().(type) {
	case *livekit.SignalRequest_Mute, *livekit.SignalRequest_UpdateAudioTrack, *livekit.SignalRequest_UpdateVideoTrack,
		*livekit.SignalRequest_AddTrack:
		return 1
	case *livekit.SignalRequest_SubscriptionPermission:
		return 5
	}
	return 0
}

// maxListed is how many tracks a message may name: as many as we keep wishes about.
const maxListed = maxSettings

// listed counts the tracks that a message names. Each costs the room or the worker,
// which serve others as well, so that they are held to a rate, too.
func listed(msg *livekit.SignalRequest) int {
	switch m := msg.GetMessage().(type) {
	case *livekit.SignalRequest_TrackSetting:
		return len(m.TrackSetting.GetTrackSids())
	case *livekit.SignalRequest_Subscription:
		return listedIn(m.Subscription)
	case *livekit.SignalRequest_SyncState:
		return len(m.SyncState.GetTrackSidsDisabled()) + listedIn(m.SyncState.GetSubscription())
	}
	return 0
}

func listedIn(m *livekit.UpdateSubscription) int {
	n := len(m.GetTrackSids())
	for _, p := range m.GetParticipantTracks() {
		n += 1 + len(p.GetTrackSids())
	}
	return n
}

// trickled takes a candidate; ours are in our descriptions.
func (s *Session) trickled(m *livekit.TrickleRequest) {
	peer := s.pub
	if m.Target == livekit.SignalTarget_SUBSCRIBER {
		peer = s.sub
	}
	if peer == nil || m.GetCandidateInit() == "" {
		return
	}
	if err := peer.AddCandidate(m.CandidateInit); err != nil {
		s.log.Debug("candidate refused", "error", err)
	}
}
