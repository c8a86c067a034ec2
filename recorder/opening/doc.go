// Package opening opens a recording in one process, from its sealed parts to media files,
// without a disk or a network: it is what the browser runs when somebody opens one there
// (cmd/aparte-opener). All it does is done by the packages that the commands use; what is
// its own is that the journal, which is plain, is nowhere whole: each reading of it opens
// the parts anew.
//
// Start at [Recording]: Verify, then Open.
package opening
