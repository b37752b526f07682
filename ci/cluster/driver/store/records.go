// Package store keeps what the driver knows about volumes, snapshots and group
// snapshots: one JSON file each, beside the data it describes. Nothing is held
// in memory, so the directory may be wiped, and the driver restarted, at any
// instant.
package store

import "time"

// Mode is the volume mode, spelled as Kubernetes spells it.
type Mode string

const (
	Filesystem Mode = "Filesystem"
	Block      Mode = "Block"
)

// Volume is the record of a volume whose image is whole.
type Volume struct {
	ID       string    `json:"id"`
	Name     string    `json:"name"`
	Capacity int64     `json:"capacityBytes"`
	Mode     Mode      `json:"mode"`
	Created  time.Time `json:"created"`
	// FromSnapshot and FromVolume name the content source of the request.
	FromSnapshot string `json:"fromSnapshot,omitempty"`
	FromVolume   string `json:"fromVolume,omitempty"`
	// Origin is the blank volume that the content descends from, by whatever
	// chain of snapshots, restores and clones. Two volumes of one origin may
	// hold the same data, two of different origins are strangers. Content that
	// the driver made up for a wrong restore has none.
	Origin string `json:"origin,omitempty"`
	// Node is the only node that reaches the volume; empty means every node.
	Node string `json:"node,omitempty"`
	// Staged says how each node has the volume staged.
	Staged map[string]Access `json:"staged,omitempty"`
	// Delete is the value of the parameter "delete", obeyed by DeleteVolume.
	Delete string `json:"delete,omitempty"`
	// DeleteMessage is what an error of Delete says; nil: the driver's own words.
	DeleteMessage *string `json:"deleteMessage,omitempty"`
	// RootOnly says that the device is root's alone, as on a node without udev.
	RootOnly bool `json:"rootOnly,omitempty"`
}

// Access is how a node uses a staged volume.
type Access string

const (
	Writer Access = "writer"
	Reader Access = "reader"
)

// Snapshot is the record of a snapshot whose image is whole.
type Snapshot struct {
	ID       string    `json:"id"`
	Name     string    `json:"name"`
	Volume   string    `json:"volume"`
	Size     int64     `json:"sizeBytes"`
	Mode     Mode      `json:"mode"`
	Created  time.Time `json:"created"`
	Origin   string    `json:"origin,omitempty"`
	Node     string    `json:"node,omitempty"`
	Group    string    `json:"group,omitempty"`
	NotReady bool      `json:"notReady,omitempty"`
	SizeZero bool      `json:"sizeZero,omitempty"`
	// Delete is recorded because DeleteSnapshot is not given the parameters.
	Delete        string  `json:"delete,omitempty"`
	DeleteMessage *string `json:"deleteMessage,omitempty"`
}

// Group is the record of a volume group snapshot.
type Group struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Snapshots []string  `json:"snapshots"`
	Volumes   []string  `json:"volumes"`
	Created   time.Time `json:"created"`
	NotReady  bool      `json:"notReady,omitempty"`
	Delete    string    `json:"delete,omitempty"`
	// DeleteMessage is as that of Snapshot.
	DeleteMessage *string `json:"deleteMessage,omitempty"`
}
