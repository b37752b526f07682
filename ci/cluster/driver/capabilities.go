package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"snapready/ci/cluster/driver/store"
)

// capabilities are the optional abilities by their names in --capabilities.
type capabilities map[string]bool

const allCapabilities = "snapshots,clone,expand,block,group-snapshots,list"

func parseCapabilities(list string) (capabilities, error) {
	known := strings.Split(allCapabilities, ",")
	c := capabilities{}
	for name := range strings.SplitSeq(list, ",") {
		name = strings.TrimSpace(name)
		if name == "" {
			continue
		}
		if !slices.Contains(known, name) {
			return nil, fmt.Errorf("--capabilities: %q is unknown; known are %s", name, allCapabilities)
		}
		c[name] = true
	}
	return c, nil
}

func (c capabilities) String() string { return strings.Join(slices.Sorted(maps.Keys(c)), ",") }

// require fails as a driver does that was never written to have the ability.
func (c capabilities) require(name string) error {
	if c[name] {
		return nil
	}
	return status.Errorf(codes.Unimplemented, "this driver runs without the capability %q", name)
}

// modeOf is the one volume mode of the capabilities that a CO asks for, if the
// driver can serve them all.
func (d *driver) modeOf(wanted ...*csi.VolumeCapability) (store.Mode, error) {
	var mode store.Mode
	for _, w := range wanted {
		m, err := d.modeOfOne(w)
		if err != nil {
			return "", err
		}
		if mode != "" && m != mode {
			return "", status.Error(codes.InvalidArgument, "a volume is either Filesystem or Block, and the request asks for both")
		}
		mode = m
	}
	return mode, nil
}

func (d *driver) modeOfOne(wanted *csi.VolumeCapability) (store.Mode, error) {
	access := wanted.GetAccessMode().GetMode()
	switch access {
	case csi.VolumeCapability_AccessMode_SINGLE_NODE_WRITER,
		csi.VolumeCapability_AccessMode_SINGLE_NODE_SINGLE_WRITER,
		csi.VolumeCapability_AccessMode_SINGLE_NODE_MULTI_WRITER,
		csi.VolumeCapability_AccessMode_SINGLE_NODE_READER_ONLY,
		csi.VolumeCapability_AccessMode_MULTI_NODE_READER_ONLY:
	default:
		return "", status.Errorf(codes.InvalidArgument, "access mode %s is not supported: one node may write, or many may read", access)
	}
	if wanted.GetBlock() != nil {
		if !d.capabilities["block"] {
			return "", status.Error(codes.InvalidArgument, "volume mode Block is not supported by this driver")
		}
		return store.Block, nil
	}
	if wanted.GetMount() == nil {
		return "", status.Error(codes.InvalidArgument, "a volume capability has neither an access type mount nor block")
	}
	if fsType := wanted.GetMount().GetFsType(); fsType != "" && fsType != "ext4" {
		return "", status.Errorf(codes.InvalidArgument, "fsType %q is not supported, only ext4 is", fsType)
	}
	return store.Filesystem, nil
}

// accessOf is how a node is going to use the volume.
func accessOf(wanted *csi.VolumeCapability) store.Access {
	switch wanted.GetAccessMode().GetMode() {
	case csi.VolumeCapability_AccessMode_SINGLE_NODE_READER_ONLY, csi.VolumeCapability_AccessMode_MULTI_NODE_READER_ONLY:
		return store.Reader
	}
	return store.Writer
}
