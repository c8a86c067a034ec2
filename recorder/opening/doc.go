// Package opening opens a recording in one process, from its sealed parts to media files,
// without a disk or a network: it is what the browser runs when somebody opens one there
// (cmd/aparte-opener). All it does is done by the packages that the commands use; what is
// its own is where the journal is, which is plain and which export reads twice: in memory
// alone, or, if it is long, nowhere: then each reading opens the parts anew.
//
// Start at [Recording]: Verify, then Open.
package opening
