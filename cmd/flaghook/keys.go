package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/flaghook/flaghook/hooks/bolt"
	"github.com/flaghook/flaghook/hooks/keys"
)

func keysCommand() *cobra.Command {
	return group("keys", "Show and rotate the keys that encrypt secrets at rest",
		"Works on the key file of a server that does not run. Who has the key file and the\nstore can read every secret in it: keep them apart in backups.",
		`  flaghook keys show --data /var/lib/flaghook
  flaghook keys rotate --data /var/lib/flaghook`,
		keysShowCommand(), keysRotateCommand())
}

// keyFlags say where a server has its data and its keys, in serve's words.
type keyFlags struct{ data, keyFile string }

func (f *keyFlags) add(cmd *cobra.Command) {
	dataFlag(cmd, &f.data)
	cmd.Flags().StringVar(&f.keyFile, "key-file", "", "`FILE` with the keys, as of serve (default DATA/keys.json)")
}

// read reads the key file of the flag or of FLAGHOOK_KEY_FILE, else the one in
// the data directory.
func (f *keyFlags) read() (file string, k *keys.Keyset, err error) {
	file = cmp.Or(orEnv(f.keyFile, "FLAGHOOK_KEY_FILE"), keyFileIn(orData(f.data)))
	if k, err = keys.Read(file); err != nil {
		return "", nil, usagef("%w", err)
	}
	return file, k, nil
}

func keysShowCommand() *cobra.Command {
	var f keyFlags
	cmd := &cobra.Command{
		Use:     "show",
		Short:   "List the ids of the keys in a key file",
		Long:    "Lists the ids of the keys in a key file, the one that encrypts first. The ids tell\nkeys apart and are no secret.",
		Example: "  flaghook keys show --data /var/lib/flaghook\n  flaghook keys show --key-file /etc/flaghook/keys.json",
		Args:    exactArgs(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, k, err := f.read()
			if err != nil {
				return err
			}
			t := newTable("KEY", "USE")
			for i, id := range k.IDs() {
				use := "decrypts what it encrypted before"
				if i == 0 {
					use = "encrypts"
				}
				t.add(fmt.Sprint(id), use)
			}
			return t.write(cmd.OutOrStdout())
		},
	}
	f.add(cmd)
	return cmd
}

func keysRotateCommand() *cobra.Command {
	var f keyFlags
	var forget bool
	cmd := &cobra.Command{
		Use:   "rotate",
		Short: "Encrypt a store under a new key",
		Long: `Adds a new key to a key file and encrypts the whole store of a data directory under
it. The server must not run meanwhile. When it fails on the way it can be called
again: the key file has the old keys as long as anything needs them.

The old keys stay, for backups that were made under them. With --forget they are
removed at the end; such backups cannot be opened then. Pages of the store that are
free may still hold what an old key encrypted: 'flaghook compact' removes them.`,
		Example: `  flaghook keys rotate --data /var/lib/flaghook --key-file /etc/flaghook/keys.json
  flaghook keys rotate --forget && flaghook compact    # after a key has leaked`,
		Args: exactArgs(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			file, old, err := f.read()
			if err != nil {
				return err
			}
			next, err := rotate(cmd, file, databaseIn(orData(f.data)), old)
			if err != nil {
				return err
			}
			if forget {
				if next, err = next.Primary(); err != nil {
					return err
				}
				if err := next.Write(file); err != nil {
					return fmt.Errorf("the store is encrypted under the new key, but the old ones are still in the key file: %w", err)
				}
			}
			ids := next.IDs()
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "the store is encrypted under key %d; %s has %s\n", ids[0], file, count(len(ids), "key"))
			return err
		},
	}
	f.add(cmd)
	cmd.Flags().BoolVar(&forget, "forget", false, "remove the old keys at the end")
	return cmd
}

// checkStore opens a store with its keys, and closes it.
func checkStore(store string, k *keys.Keyset) error {
	if _, err := os.Stat(store); err != nil { // opening would make one
		return usagef("%w; --data names the directory of the server", err)
	}
	db, err := bolt.Open(store, bolt.Options{Cipher: k, Retention: -1})
	if err != nil {
		return err
	}
	return db.Close()
}

// rotate opens the store with the old keys, which shows that they are its own
// and that no server runs, adds a key to the file, and encrypts all under it.
func rotate(cmd *cobra.Command, file, store string, old *keys.Keyset) (next *keys.Keyset, err error) {
	if err := checkStore(store, old); err != nil {
		return nil, err
	}
	if next, err = old.Rotated(); err != nil {
		return nil, err
	}
	// The file first: a key that only this process knows must encrypt nothing.
	if err := next.Write(file); err != nil {
		return nil, err
	}
	db, err := bolt.Open(store, bolt.Options{Cipher: next, Retention: -1})
	if err != nil {
		return nil, err
	}
	return next, errors.Join(db.Reseal(cmd.Context()), db.Close())
}
