// Package breaks is the break kit: ways in which an administrator finds a cluster broken, each a change of the list of
// standard objects.
//
// The active breaks are changes of one list, made in the order of All, whatever the order they were asked for. Change
// applies that list, so to mend is to apply the list without the break, and nothing can be left behind. The ConfigMap
// kube-system/snapready-breaks remembers the active breaks; it is part of the list itself.
package breaks
