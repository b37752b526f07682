// Package reset makes a used cluster like a new one within seconds, whatever a test has left in it: broken standard
// objects, hung calls to the driver, objects that cannot be deleted because nobody works on their finalizers.
//
// What a new cluster holds is recorded once, by name: controllers make many of these objects anew, with another UID.
// Finalizers are removed by force after a few seconds. That is right here, where the storage is wiped afterwards, and
// nowhere else.
package reset
