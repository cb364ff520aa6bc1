package console

// screens is the list of pages that somebody who has signed in can open.
func screens() []screen {
	return []screen{
		{"watch", "/watch", buildWatch, []string{"items", "detail"}},
		{"traffic", "/traffic", buildTraffic, []string{"list"}},
		{"statement", "/statement/{id}", buildStatement, []string{"state"}},
		{"compose", "/compose", buildCompose, nil},
		{"reply", "/statement/{id}/reply", buildReply, nil},
		{"loss", "/loss", buildLoss, nil},
		{"releases", "/releases", buildReleases, []string{"list"}},
		{"links", "/links", buildLinks, []string{"list"}},
		{"directory", "/directory", buildDirectory, nil},
		{"checks", "/checks", buildChecks, []string{"list"}},
		{"roster", "/roster", buildRoster, nil},
		{"log", "/log", buildLog, nil},
		{"officers", "/officers", buildOfficers, nil},
		{"system", "/system", buildSystem, nil},
		{"help", "/help", buildHelp, nil},
		{"passkey", "/passkey", buildPasskey, nil},
	}
}

// actions is the list of what forms do.
func actions() []action {
	return []action{
		{"/watch/take", doTake},
		{"/compose", doCompose},
		{"/statement/{id}/reply", doReply},
		{"/loss", doLoss},
		{"/releases/{id}", doDecide},
		{"/directory/status", doContactStatus},
		{"/directory/import", doImportContacts},
		{"/checks", doCheck},
		{"/checks/plan", doPlan},
		{"/roster/{post}", doRoster},
		{"/roster/{post}/override", doOverride},
		{"/handover", doHandover},
		{"/log", doNote},
		{"/officers", doOfficer},
		{"/officers/{id}/remove", doRemoveOfficer},
		{"/officers/{id}/passkeys/{key}/remove", doRemovePasskey},
		{"/sessions/{id}/revoke", doRevoke},
	}
}

// files is the list of what can be saved, or shown as a picture.
func downloads() []given {
	return []given{
		{"/statement/{id}/proof", giveProof},
		{"/statement/{id}/files/{n}", giveAttachment},
		{"/directory.csv", giveDirectory},
		{"/checks/{peer}/year.svg", givePicture},
		{"/log.csv", giveLog},
	}
}
