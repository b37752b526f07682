// Package apply makes a cluster equal to a list of objects.
//
// Apply writes the list with server-side apply under one field manager, takes fields back that somebody else has added to
// these objects, and deletes every object that bears the standard label but is not in the list. Settle then waits until
// the change has taken effect in the controllers, the sidecars and the kubelets.
package apply
