package console

import (
	"detente/api"
	"detente/console/habits"
	"detente/exchange"
)

// systemPage answers: is the node well, and what has it noticed?
type systemPage struct {
	Frame
	Status   api.Status
	Alarms   []exchange.Alarm
	Charters []api.Charter
	Channels []api.Channel
	Traffic  []api.Traffic
}

func buildSystem(v *visit) (page, error) {
	p := &systemPage{}
	var err error
	if p.Status, err = v.client.Status(v.ctx); err != nil {
		return nil, err
	}
	if p.Alarms, err = v.client.Alarms(v.ctx); err != nil && !absent(err) {
		return nil, err
	}
	if p.Charters, err = v.client.Charters(v.ctx); err != nil && !absent(err) {
		return nil, err
	}
	if p.Channels, err = v.client.Channels(v.ctx); err != nil && !absent(err) {
		return nil, err
	}
	if p.Traffic, err = v.client.Statistics(v.ctx); err != nil && !absent(err) {
		return nil, err
	}
	return p, nil
}

// helpPage explains the marks and the keys, and lets both be set to the officer's liking.
type helpPage struct {
	Frame
	Bindings []bound
}

// bound is what a key does, with the key.
type bound struct{ Name, Key string }

func buildHelp(v *visit) (page, error) {
	p := &helpPage{}
	for _, b := range habits.Bindings() {
		p.Bindings = append(p.Bindings, bound{b.Name, v.prefs.Keys[b.Name]})
	}
	return p, nil
}
