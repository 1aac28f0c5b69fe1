// Verifies what an audit log says of itself, with code that is not ours: golang.org/x/mod/sumdb of the Go project.
// Reads one JSON object from the standard input, and writes one verdict for each claim in it, "" for one that holds.
package main

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type claims struct {
	VerifierKey string `json:"verifier_key"`
	// Each a tlog-proof file, and the entry that it is about.
	Inclusion []struct {
		Entry string `json:"entry"`
		Proof string `json:"proof"`
	} `json:"inclusion"`
	// Each a checkpoint, and the proof that the log has only grown since.
	Consistency []struct {
		Old   string `json:"old"`
		Proof string `json:"proof"`
	} `json:"consistency"`
}

type verdicts struct {
	Inclusion   []string `json:"inclusion"`
	Consistency []string `json:"consistency"`
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	var in claims
	if err := json.NewDecoder(os.Stdin).Decode(&in); err != nil {
		return err
	}
	verifier, err := note.NewVerifier(in.VerifierKey)
	if err != nil {
		return err
	}
	out := verdicts{Inclusion: []string{}, Consistency: []string{}}
	for _, claim := range in.Inclusion {
		out.Inclusion = append(out.Inclusion, verdict(checkInclusion(verifier, claim.Entry, claim.Proof)))
	}
	for _, claim := range in.Consistency {
		out.Consistency = append(out.Consistency, verdict(checkConsistency(verifier, claim.Old, claim.Proof)))
	}
	return json.NewEncoder(os.Stdout).Encode(out)
}

func verdict(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// checkInclusion reads a proof by the words of c2sp.org/tlog-proof.
func checkInclusion(verifier note.Verifier, entry, proof string) error {
	head, checkpoint, found := strings.Cut(proof, "\n\n")
	if !found {
		return errors.New("no empty line before the checkpoint")
	}
	lines := strings.Split(head, "\n")
	if lines[0] != "c2sp.org/tlog-proof@v1" {
		return errors.New("not a tlog-proof")
	}
	lines = lines[1:]
	if len(lines) > 0 && strings.HasPrefix(lines[0], "extra ") {
		lines = lines[1:]
	}
	if len(lines) == 0 || !strings.HasPrefix(lines[0], "index ") {
		return errors.New("no index")
	}
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[0], "index "), 10, 64)
	if err != nil {
		return err
	}
	hashes, err := parseHashes(lines[1:])
	if err != nil {
		return err
	}
	tree, err := openCheckpoint(verifier, checkpoint)
	if err != nil {
		return err
	}
	return tlog.CheckRecord(hashes, tree.N, tree.Hash, index, tlog.RecordHash([]byte(entry)))
}

// checkConsistency reads a proof by the words of c2sp.org/tlog-witness, on the body of add-checkpoint.
func checkConsistency(verifier note.Verifier, older, proof string) error {
	head, newer, found := strings.Cut(proof, "\n\n")
	if !found {
		return errors.New("no empty line before the checkpoint")
	}
	lines := strings.Split(head, "\n")
	before, err := openCheckpoint(verifier, older)
	if err != nil {
		return err
	}
	if lines[0] != "old "+strconv.FormatInt(before.N, 10) {
		return errors.New("not a proof from that checkpoint on")
	}
	after, err := openCheckpoint(verifier, newer)
	if err != nil {
		return err
	}
	hashes, err := parseHashes(lines[1:])
	if err != nil {
		return err
	}
	return tlog.CheckTree(hashes, after.N, after.Hash, before.N, before.Hash)
}

func openCheckpoint(verifier note.Verifier, text string) (tlog.Tree, error) {
	var tree tlog.Tree
	opened, err := note.Open([]byte(text), note.VerifierList(verifier))
	if err != nil {
		return tree, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) < 4 || lines[0] != verifier.Name() {
		return tree, errors.New("not a checkpoint of this log")
	}
	if tree.N, err = strconv.ParseInt(lines[1], 10, 64); err != nil {
		return tree, err
	}
	root, err := parseHash(lines[2])
	tree.Hash = root
	return tree, err
}

func parseHashes(lines []string) ([]tlog.Hash, error) {
	hashes := make([]tlog.Hash, 0, len(lines))
	for _, line := range lines {
		hash, err := parseHash(line)
		if err != nil {
			return nil, err
		}
		hashes = append(hashes, hash)
	}
	return hashes, nil
}

func parseHash(text string) (tlog.Hash, error) {
	var hash tlog.Hash
	bytes, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(bytes) != len(hash) {
		return hash, fmt.Errorf("not a hash: %q", text)
	}
	copy(hash[:], bytes)
	return hash, nil
}
