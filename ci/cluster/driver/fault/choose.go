package fault

import (
	"snapready/ci/cluster/driver/store"
)

// OtherVolumes are the volumes whose content a restore of snapshot must not
// show, the youngest first: of the same mode, and strangers by origin, so that
// neither an earlier restore of the same data nor an earlier wrong restore is
// among them.
func OtherVolumes(all []*store.Volume, snapshot *store.Snapshot) []*store.Volume {
	var others []*store.Volume
	for _, v := range all {
		if v.Mode == snapshot.Mode && v.Origin != snapshot.Origin && v.Origin != "" {
			others = append(others, v)
		}
	}
	return store.YoungestVolumes(others)
}

// OlderSnapshots are those cut before snapshot: first the ones of its own
// volume, then the ones of any volume of its mode, the youngest first.
func OlderSnapshots(all []*store.Snapshot, snapshot *store.Snapshot) []*store.Snapshot {
	var own, foreign []*store.Snapshot
	for _, s := range store.YoungestSnapshots(all) {
		switch {
		case !s.Created.Before(snapshot.Created) || s.Mode != snapshot.Mode:
		case s.Volume == snapshot.Volume:
			own = append(own, s)
		default:
			foreign = append(foreign, s)
		}
	}
	return append(own, foreign...)
}
