// Package objects makes the standard objects: the list of everything that a healthy test cluster holds beyond bare
// Kubernetes. Making the list reads upstream's manifests and nothing else; package apply carries it into a cluster.
//
// The standard driver is csi.snapready.test in namespace csi-snapready. Its healthy classes:
//
//	StorageClass              snap-wffc (default, WaitForFirstConsumer), snap-immediate
//	VolumeSnapshotClass       snap-class (default, Delete), snap-retain (Retain)
//	VolumeGroupSnapshotClass  group-snap-class (default, Delete)
//
// # Faults
//
// For every fault there is one pair: a StorageClass and a VolumeSnapshotClass, and both bear the name of the fault.
// So a round trip with fault F uses StorageClass F and VolumeSnapshotClass F, whatever F is. The name says which call of
// the driver goes wrong and how:
//
//	<operation>-<what>        restore-empty, provision-hang, snapshot-never-ready, delete-leak
//	<operation>-error-<code>  restore-error-invalid-argument: the call is answered with that gRPC code
//
// The class of the operation carries the driver's parameter (restore and provision: the StorageClass; snapshot and
// delete: the VolumeSnapshotClass), the other class of the pair is healthy. A restore-* StorageClass serves new volumes
// as usual: only volumes made from a snapshot are damaged, since snapready restores into the StorageClass of the source.
//
// # Other drivers
//
// OtherInstances are further installations of the same driver with fewer capabilities. They are not part of the standard
// objects; breaks add them. All classes of instance X are named X.
package objects
