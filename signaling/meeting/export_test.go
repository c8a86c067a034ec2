package meeting

// Queued is how many requests wait for a meeting, beyond those it is busy with.
func (m *Meetings) Queued(id string) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	if l, ok := m.live[id]; ok {
		return len(l.requests)
	}
	return 0
}

// Obeyed waits until calls have done what follows from presence events. Nothing may be
// told meanwhile.
func (m *Meetings) Obeyed() { m.presence.Wait() }
