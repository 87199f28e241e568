package refresh

// Configure takes over new settings and a new client, and begins an attempt with
// them. An attempt under way is cancelled; what it has read of a full read is
// kept if the settings still ask for the same. The directory's id cannot change.
func (d *Directory) Configure(set Settings, api api) {
	d.stop()
	// Nothing is under way and nothing begins: the ledger is ours, without mu.
	if d.set.Filter != set.Filter || d.set.Window != set.Window {
		d.reader.interrupted, d.reader.margin = nil, firstMargin
		d.drift = drift{}
	}
	d.mu.Lock()
	d.reader.api = api
	d.mu.Unlock()
	d.ledger.Configure(set.Settings)
	if d.ledger.Complete() {
		_ = d.commit() // the attempt that follows says so
	}

	d.mu.Lock()
	defer d.mu.Unlock()
	d.set = set
	d.show()
	if d.reader.interrupted == nil {
		d.pub.Progress = nil
	}
	d.describe()
	d.closed = false
	d.failures = 0
	d.begin()
}

// Close ends the attempt under way and begins no other.
func (d *Directory) Close() { d.stop() }

// stop ends the flight and lets none begin.
func (d *Directory) stop() {
	d.mu.Lock()
	d.closed = true
	f := d.flight
	if f != nil {
		d.cancel()
	}
	d.mu.Unlock()
	if f != nil {
		<-f.done
	}
}
