package iodef

import "encoding/xml"

// The types of this file are the elements of RFC 7970, section 8, as far as they are written: the order of the fields is the order that its
// schema demands.

type document struct {
	XMLName   xml.Name `xml:"IODEF-Document"`
	Namespace string   `xml:"xmlns,attr"`
	Version   string   `xml:"version,attr"`
	Lang      string   `xml:"xml:lang,attr"`
	Incident  incident `xml:"Incident"`
}

type incident struct {
	Purpose        string `xml:"purpose,attr"`
	ExtPurpose     string `xml:"ext-purpose,attr,omitempty"`
	Status         string `xml:"status,attr,omitempty"`
	Lang           string `xml:"xml:lang,attr"`
	Restriction    string `xml:"restriction,attr"`
	ExtRestriction string `xml:"ext-restriction,attr,omitempty"`

	ID             incidentID     `xml:"IncidentID"`
	Others         *alternativeID `xml:"AlternativeID"`
	DetectTime     string         `xml:"DetectTime,omitempty"`
	StartTime      string         `xml:"StartTime,omitempty"`
	EndTime        string         `xml:"EndTime,omitempty"`
	ReportTime     string         `xml:"ReportTime,omitempty"`
	GenerationTime string         `xml:"GenerationTime"`
	Description    []string       `xml:"Description"`
	Assessment     []assessment   `xml:"Assessment"`
	Method         *method        `xml:"Method"`
	Contacts       []contact      `xml:"Contact"`
	Events         []eventData    `xml:"EventData"`
	Indicators     *indicatorData `xml:"IndicatorData"`
	History        *history       `xml:"History"`
	AdditionalData []extension    `xml:"AdditionalData"`
}

type incidentID struct {
	Name string `xml:"name,attr"`
	Text string `xml:",chardata"`
}

type alternativeID struct {
	IDs []incidentID `xml:"IncidentID"`
}

type assessment struct {
	Occurrence string       `xml:"occurrence,attr"`
	Category   string       `xml:"IncidentCategory,omitempty"`
	Impact     systemImpact `xml:"SystemImpact"`
	Confidence *confidence  `xml:"Confidence"`
}

type systemImpact struct {
	Severity    string   `xml:"severity,attr,omitempty"`
	Type        string   `xml:"type,attr"`
	Description []string `xml:"Description"`
}

type confidence struct {
	Rating string `xml:"rating,attr"`
	Text   string `xml:",chardata"`
}

type method struct {
	References []reference `xml:"Reference"`
}

type reference struct {
	URL         string   `xml:"URL,omitempty"`
	Description []string `xml:"Description"`
}

type contact struct {
	Role  string `xml:"role,attr"`
	Type  string `xml:"type,attr"`
	Name  string `xml:"ContactName,omitempty"`
	Mail  *mail  `xml:"Email"`
	Phone *phone `xml:"Telephone"`
	Zone  string `xml:"Timezone,omitempty"`
}

type mail struct {
	To string `xml:"EmailTo"`
}

type phone struct {
	Type   string `xml:"type,attr"`
	Number string `xml:"TelephoneNumber"`
}

type eventData struct {
	Description []string      `xml:"Description"`
	DetectTime  string        `xml:"DetectTime,omitempty"`
	StartTime   string        `xml:"StartTime,omitempty"`
	EndTime     string        `xml:"EndTime,omitempty"`
	Flow        *flow         `xml:"Flow"`
	Asked       []expectation `xml:"Expectation"`
	Record      *record       `xml:"Record"`
}

type flow struct {
	Systems []system `xml:"System"`
}

type system struct {
	Category string    `xml:"category,attr"`
	Spoofed  string    `xml:"spoofed,attr,omitempty"`
	Node     node      `xml:"Node"`
	NodeRole *nodeRole `xml:"NodeRole"`
	Service  *service  `xml:"Service"`
}

type node struct {
	Domains   []domainData `xml:"DomainData"`
	Addresses []address    `xml:"Address"`
}

type domainData struct {
	Name string `xml:"Name"`
}

type address struct {
	Category string `xml:"category,attr"`
	Text     string `xml:",chardata"`
}

type nodeRole struct {
	Category string `xml:"category,attr"`
}

type service struct {
	Protocol string `xml:"ip-protocol,attr,omitempty"`
	Port     string `xml:"Port,omitempty"`
}

type expectation struct {
	Action      string   `xml:"action,attr"`
	Description []string `xml:"Description"`
	EndTime     string   `xml:"EndTime,omitempty"`
}

type record struct {
	Data []recordData `xml:"RecordData"`
}

type recordData struct {
	Items []extension `xml:"RecordItem"`
}

type extension struct {
	Name string `xml:"name,attr,omitempty"`
	Type string `xml:"dtype,attr"`
	Text string `xml:",chardata"`
}

type indicatorData struct {
	Indicators []indicator `xml:"Indicator"`
}

type indicator struct {
	ID          indicatorID `xml:"IndicatorID"`
	Description []string    `xml:"Description"`
	StartTime   string      `xml:"StartTime,omitempty"`
	EndTime     string      `xml:"EndTime,omitempty"`
	Confidence  *confidence `xml:"Confidence"`
	Observable  observable  `xml:"Observable"`
}

type indicatorID struct {
	Name    string `xml:"name,attr"`
	Version string `xml:"version,attr"`
	Text    string `xml:",chardata"`
}

type observable struct {
	Address *address    `xml:"Address"`
	Domain  *domainData `xml:"DomainData"`
	File    *fileData   `xml:"FileData"`
}

type fileData struct {
	Files []file `xml:"File"`
}

type file struct {
	Name   string    `xml:"FileName,omitempty"`
	Hashes *hashData `xml:"HashData"`
}

type hashData struct {
	Scope  string `xml:"scope,attr"`
	Hashes []hash `xml:"Hash"`
}

type hash struct {
	Method digestMethod `xml:"http://www.w3.org/2000/09/xmldsig# DigestMethod"`
	Value  string       `xml:"http://www.w3.org/2000/09/xmldsig# DigestValue"`
}

type digestMethod struct {
	Algorithm string `xml:"Algorithm,attr"`
}

type history struct {
	Items []historyItem `xml:"HistoryItem"`
}

type historyItem struct {
	Action      string   `xml:"action,attr"`
	DateTime    string   `xml:"DateTime"`
	Description []string `xml:"Description"`
}
