// Command table writes docs/conformance.md from the rows and the results of a
// run. With -check it only tells whether the page is current, dates aside.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"aparte/signaling/wire/sdktest/conform"
)

func main() {
	check := flag.Bool("check", false, "write nothing; fail when the page is not current")
	root := flag.String("root", ".", "folder of the repository")
	results := flag.String("results", "", "folder of the results")
	flag.Parse()
	if err := run(*root, *results, *check); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(root, folder string, check bool) error {
	rows, err := conform.Read(filepath.Join(root, "docs/conformance.json"))
	if err != nil {
		return err
	}
	results, err := conform.Results(folder)
	if err != nil {
		return err
	}
	if err := conform.Check(rows, results); err != nil {
		return err
	}
	path := filepath.Join(root, "docs/conformance.md")
	table := conform.Table(rows, results, time.Now().UTC().Format(time.DateOnly))
	if check {
		old, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if !conform.Same(string(old), table) {
			return fmt.Errorf("%s is not what rows and tests say: run 'make conformance' and commit it", path)
		}
	} else if err := os.WriteFile(path, []byte(table), 0o644); err != nil {
		return err
	}
	if failed := conform.Failed(results); len(failed) > 0 {
		return errors.New("these rows fail: " + strings.Join(failed, ", "))
	}
	return nil
}
