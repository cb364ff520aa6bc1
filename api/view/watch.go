package view

import (
	"detente/api"
	"detente/floor"
	"detente/roster"
)

// Duty is who is on duty at a post.
func Duty(d roster.Duty) api.Duty {
	out := api.Duty{Post: d.Post, Shift: d.Shift, From: d.From, Until: d.Until, Officers: []api.DutyOfficer{}, Unmanned: d.Unmanned()}
	for _, role := range roster.Roles() {
		if officer := d.Officers[role]; officer != "" {
			out.Officers = append(out.Officers, api.DutyOfficer{Role: string(role), Officer: officer})
		}
	}
	return out
}

// Roster is a post's roster, with who is on duty now and in the next days.
func Roster(p floor.Posted) api.Roster {
	out := api.Roster{Post: p.Post, Text: p.Text, By: p.By, At: p.At, Now: Duty(p.Now), Shifts: []api.Duty{}, Overrides: []api.Override{}}
	for _, d := range p.Shifts {
		out.Shifts = append(out.Shifts, Duty(d))
	}
	for _, o := range p.Overrides {
		out.Overrides = append(out.Overrides, api.Override{
			Post: o.Post, Role: string(o.Role), Officer: o.Officer, From: o.From, Until: o.Until, Reason: o.Reason, By: o.By, Handover: o.Handover,
		})
	}
	return out
}
