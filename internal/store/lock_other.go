//go:build !unix

package store

import "os"

// Without flock the only lock is bbolt's own, taken when it opens the file.
func tryLock(*os.File) (bool, error) { return true, nil }

func unlock(*os.File) error { return nil }
