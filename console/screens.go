package console

import (
	"detente/console/cases"
	"detente/console/instruments"
	"detente/console/programme"
	"detente/console/talks"
)

// screens is the list of pages that somebody who has signed in can open, in the order in which they are listed.
func screens() []screen {
	return []screen{
		{name: "watch", path: "/watch", needs: []string{"read"}, key: "w", build: buildWatch, regions: []string{"items", "detail"}},
		{name: "traffic", path: "/traffic", needs: []string{"read"}, key: "t", build: buildTraffic, regions: []string{"list"}},
		{name: "cases", path: "/cases", needs: []string{"read"}, key: "c", build: within(cases.MakeList), regions: []string{"list"}},
		{name: "notices", path: "/notices", needs: []string{"read"}, build: within(cases.MakeNotices), regions: []string{"list"}},
		{name: "compose", path: "/compose", needs: []string{"send"}, build: buildCompose},
		{name: "releases", path: "/releases", needs: []string{"read", "release"}, build: buildReleases, regions: []string{"list"}},
		{name: "links", path: "/links", needs: []string{"read"}, key: "l", group: true, build: buildLinks, regions: []string{"list"}},
		{name: "directory", path: "/directory", needs: []string{"read"}, key: "d", build: buildDirectory},
		{name: "checks", path: "/checks", needs: []string{"read"}, key: "k", build: buildChecks, regions: []string{"list"}},
		{name: "ledger", path: "/ledger", needs: []string{"read"}, build: within(cases.MakeLedger)},
		{name: "collections", path: "/collections", needs: []string{"read"}, build: within(cases.MakeCollections), regions: []string{"list"}},
		{name: "instruments", path: "/instruments", needs: []string{"read"}, key: "i", group: true, build: within(instruments.MakeList), regions: []string{"list"}},
		{name: "talks", path: "/talks", needs: []string{"read"}, key: "m", build: within(talks.MakeList), regions: []string{"list"}},
		{name: "programme", path: "/programme", needs: []string{"read"}, key: "p", build: within(programme.MakeList)},
		{name: "pledges", path: "/pledges", needs: []string{"read"}, build: within(instruments.MakePledges)},
		{name: "assets", path: "/assets", needs: []string{"read"}, build: within(instruments.MakeAssets)},
		{name: "roster", path: "/roster", needs: []string{"read", "roster"}, group: true, build: buildRoster},
		{name: "log", path: "/log", needs: []string{"log"}, build: buildLog},
		{name: "officers", path: "/officers", group: true, build: buildOfficers},
		{name: "system", path: "/system", needs: []string{"inspect", "system"}, build: buildSystem},
		{name: "help", path: "/help", build: buildHelp},
		{name: "statement", path: "/statement/{id}", needs: []string{"read"}, aside: true, build: buildStatement, regions: []string{"state"}},
		{name: "case", path: "/case", needs: []string{"read"}, aside: true, build: within(cases.MakeFile), regions: []string{"state", "line"}},
		{name: "instrument", path: "/instrument", needs: []string{"read"}, aside: true, build: within(instruments.MakeFile), regions: []string{"state", "papers"}},
		{name: "provision", path: "/instrument/provision", needs: []string{"read"}, aside: true, build: within(instruments.MakeEditor)},
		{name: "instrument.new", path: "/instruments/new", needs: []string{"send"}, aside: true, build: within(instruments.MakeNew)},
		{name: "talk", path: "/talks/{id}", needs: []string{"read"}, aside: true, build: within(talks.MakeFile), regions: []string{"state", "rounds", "things"}},
		{name: "talks.month", path: "/talks/month", needs: []string{"read"}, aside: true, build: within(talks.MakeMonth)},
		{name: "talks.new", path: "/talks/new", needs: []string{"send"}, aside: true, build: within(talks.MakeNew)},
		{name: "relation", path: "/programme/{id}", needs: []string{"read"}, aside: true, build: within(programme.MakeBoard)},
		{name: "reply", path: "/statement/{id}/reply", needs: []string{"acknowledge", "answer", "send", "translate"}, aside: true, build: buildReply},
		{name: "loss", path: "/loss", needs: []string{"send"}, aside: true, build: buildLoss},
		{name: "passkey", path: "/passkey", aside: true, build: buildPasskey},
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
		{"/collections", doReview},
		{"/collections/seen", doSee},
		{"/instrument", doInstrument},
		{"/instrument/document", doReadInstrument},
		{"/assets", doVerifyAsset},
		{"/talks/{id}", doTalk},
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
		{"/instrument/seal", giveSeal},
		{"/instrument/paper", giveInstrument},
		{"/talks.ics", saved(talks.Calendar)},
		{"/talks/{id}/file", saved(talks.Save)},
	}
}
