// Snapready-csi-driver is the CSI driver of the end-to-end tests. It makes real
// volumes, snapshots and restores without any storage system, and wrong ones on
// request.
//
// # What it makes
//
// A volume is a sparse file below the data directory: an ext4 on a loop device
// for volume mode Filesystem, the loop device itself for Block. A snapshot is a
// copy of that file. It is cut without a freeze or a flush, so it is
// crash-consistent, as on real storage: what the node still held in memory is
// not in it. It is of one moment: a file is copied again until nothing was
// written meanwhile; after 20 s without such a pause the call fails with
// Aborted. A data directory on a filesystem with reflinks does not need the pause.
//
// All drivers of one storage share the data directory, which makes it network
// storage. Everything the driver knows is there, in JSON beside the images, and
// nothing is in memory: it may be wiped below a running driver, and a driver
// may end at any instant. Ids are "vol-", "snap-" or "group-" and the name from
// the request.
//
// Limits: ext4 only; one node writes (ReadWriteOnce, ReadWriteOncePod) or many
// read (ReadOnlyMany); sizes are whole MiB from 1 MiB (Block) or 4 MiB
// (Filesystem) to 1 TiB, 1 GiB if the request names none. There is nothing to
// attach: the CSIDriver object needs attachRequired: false. A blank volume is
// formatted when it is first staged; data that is no ext4 never is. An
// ext4 smaller than its volume grows when it is staged; while mounted it grows
// only with CAP_SYS_RESOURCE, which some machines withhold from root. A node
// that has a volume staged excludes others with FailedPrecondition, until its
// loop device is gone. With a read-only publication of a Block volume the
// device itself refuses writes.
//
// # Flags
//
//	--endpoint unix:///csi/csi.sock   socket to serve CSI on; its directory is made
//	--name csi.snapready.test         name of the driver
//	--node NAME                       name of the node; needed unless --mode is controller
//	--mode controller|node|all        services to offer, Identity is always there
//	--data DIR                        directory of volumes and snapshots, absolute
//	--registration DIR                the kubelet's plugins_registry: the driver registers
//	                                  itself there as NAME-reg.sock, no registrar is needed
//	--capabilities LIST               of snapshots,clone,expand,block,group-snapshots,list
//	                                  (default all; list is LIST_VOLUMES, GET_VOLUME and,
//	                                  with snapshots, LIST_SNAPSHOTS)
//	--topology none|node              node: a volume is reached only from the node that the
//	                                  accessibility requirements name by
//	                                  topology.csi.snapready.test/node, preferred first.
//	                                  A restore or clone goes to the node of its source;
//	                                  if that is not accepted: ResourceExhausted, the code
//	                                  of CSI for "unable to provision in accessible topology"
//	--capacity BYTES                  what all volumes together may be promised, beyond that
//	                                  ResourceExhausted; 0 (default) is no limit
//	--version                         print the version and exit
//	--v 2                             log successful calls too, not only failed ones
//
// On SIGTERM it removes its sockets and ends.
//
// # Parameters of a StorageClass
//
// CODE is the name of a gRPC code: ResourceExhausted or RESOURCE_EXHAUSTED. An
// unknown key or value is InvalidArgument. Keys below csi.storage.k8s.io/ belong
// to the sidecars.
//
// restore applies to volumes made from a snapshot, not to clones. What is
// damaged is always data, never an unused block; where there is none, the call
// fails with FailedPrecondition rather than make a good restore.
//
//	ok            the snapshot
//	empty         a new ext4, or zeros
//	stale         the source volume as it is now
//	truncated     Filesystem: every file cut to half its length. Block: zeros from the
//	              middle between the first and the last byte that is not zero
//	bitflip       one bit, in the middle of the largest file; Block: in the last 4 KiB
//	              block that is not zero, between its first and last such byte
//	zeros-at-end  the last quarter of the largest file that is not all zeros, or more of
//	              it until a byte is lost; its length stays. Block: the last 4 KiB block
//	              that is not zero
//	other-volume  the youngest volume of the same mode that has been written and does not
//	              descend from the same blank volume; without one, foreign files or text
//	old-snapshot  the youngest older snapshot of the volume, or else of any volume of the
//	              same mode, that differs; without one FailedPrecondition
//	hang          no answer until the caller gives up, then DeadlineExceeded
//	slow:SECONDS  as ok, that long after the first call for this name
//	error:CODE    this error
//
// With stale, other-volume and old-snapshot the volume has the size of that
// content if it is the larger one. The users of stale and old-snapshot have to
// write between the moments for the content to differ.
//
// provision applies to volumes without a content source: ok, hang, slow:SECONDS,
// error:CODE.
//
// delete applies when the volume is deleted: ok, hang, error:CODE, or leak, which
// answers OK and keeps everything. It is recorded when the volume is made.
//
// message is what the errors of the class say instead of the driver's own words:
// any text, to the letter, also none, several lines or JSON. Without an error:CODE
// it is InvalidArgument. That of delete is recorded with it.
//
// device says whose the device of a Block volume is on its node: ok, group disk
// and mode 0660, as udev has it; or root-only, root and mode 0600, as without
// udev. It is recorded when the volume is made.
//
// # Parameters of a VolumeSnapshotClass or VolumeGroupSnapshotClass
//
//	snapshot: ok, hang, slow:SECONDS, error:CODE,
//	          never-ready   cut, and ready_to_use is false for ever
//	          size-zero     cut, and size_bytes is 0
//	delete:   as above, recorded when the snapshot is cut
//	message:  as above
//
// # Where it runs
//
// The node plugin is privileged, with the kubelet's directory at its own path
// and Bidirectional mount propagation, the data directory at its own path and
// the host's /dev. The controller is privileged and has /dev too, because it
// mounts an image to damage files in it; that mount is attached to no directory.
// mkfs.ext4, e2fsck and resize2fs have to be in PATH.
package main
