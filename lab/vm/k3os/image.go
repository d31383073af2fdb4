package main

import (
	"bytes"
	"fmt"
	"os"
)

// printImageOffset prints where the root image begins in a k3os file: right behind the first magic word
// (rancher/k3os pkg/enterchroot/enter.go). This program holds the word in capitals only, so that it is not found in itself.
func printImageOffset(file string) error {
	content, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	magic := bytes.ToLower([]byte("_SQMAGIC_"))
	at := bytes.Index(content, magic)
	if at < 0 {
		return fmt.Errorf("%s carries no root image", file)
	}
	fmt.Println(at + len(magic))
	return nil
}
