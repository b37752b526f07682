package main

import (
	"context"
	"slices"
	"strings"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"snapready/ci/cluster/driver/store"
)

func (d *driver) ListVolumes(_ context.Context, r *csi.ListVolumesRequest) (*csi.ListVolumesResponse, error) {
	if err := d.capabilities.require("list"); err != nil {
		return nil, err
	}
	all, err := d.store.Volumes()
	if err != nil {
		return nil, err
	}
	page, next, err := pageOf(all, func(v *store.Volume) string { return v.ID }, r.GetStartingToken(), r.GetMaxEntries())
	if err != nil {
		return nil, err
	}
	response := &csi.ListVolumesResponse{NextToken: next}
	for _, v := range page {
		response.Entries = append(response.Entries, &csi.ListVolumesResponse_Entry{Volume: answerVolume(v)})
	}
	return response, nil
}

func (d *driver) ListSnapshots(_ context.Context, r *csi.ListSnapshotsRequest) (*csi.ListSnapshotsResponse, error) {
	for _, capability := range []string{"snapshots", "list"} {
		if err := d.capabilities.require(capability); err != nil {
			return nil, err
		}
	}
	all, err := d.store.Snapshots()
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(s *store.Snapshot) bool {
		return r.GetSnapshotId() != "" && s.ID != r.GetSnapshotId() ||
			r.GetSourceVolumeId() != "" && s.Volume != r.GetSourceVolumeId()
	})
	page, next, err := pageOf(all, func(s *store.Snapshot) string { return s.ID }, r.GetStartingToken(), r.GetMaxEntries())
	if err != nil {
		return nil, err
	}
	response := &csi.ListSnapshotsResponse{NextToken: next}
	for _, s := range page {
		response.Entries = append(response.Entries, &csi.ListSnapshotsResponse_Entry{Snapshot: answerSnapshot(s)})
	}
	return response, nil
}

// tokenPrefix and the last id of a page make its token, which stays good when
// objects come and go between two pages.
const tokenPrefix = "after:"

// pageOf wants all in the order of their ids.
func pageOf[T any](all []T, id func(T) string, token string, entries int32) (page []T, next string, err error) {
	if token != "" {
		last, valid := strings.CutPrefix(token, tokenPrefix)
		if !valid {
			return nil, "", status.Errorf(codes.Aborted, "starting token %q is not one that this driver gave: list again without it", token)
		}
		all = slices.DeleteFunc(all, func(one T) bool { return id(one) <= last })
	}
	if entries > 0 && int(entries) < len(all) {
		all = all[:entries]
		next = tokenPrefix + id(all[entries-1])
	}
	return all, next, nil
}
