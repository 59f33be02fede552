# The bill of materials of one image, from the two tables that `bill` makes.
# $files: path, sha1, sha256, owner. $packages: name, version, source, architecture, maintainer, code of
# verification, licence of most files, all licences.

# Debian's short names of licences, where SPDX has one for the same text.
def spdx_license: {
  "Apache-2.0": "Apache-2.0", "Artistic-2.0": "Artistic-2.0", "BSD-2-clause": "BSD-2-Clause",
  "BSD-2-Clause": "BSD-2-Clause", "BSD-3-Clause": "BSD-3-Clause", "BSD-3-clause": "BSD-3-Clause",
  "BSL-1.0": "BSL-1.0", "Boost": "BSL-1.0", "CC0-1.0": "CC0-1.0", "Expat": "MIT", "GPL-2": "GPL-2.0-only",
  "GPL-2+": "GPL-2.0-or-later", "GPL-3": "GPL-3.0-only", "GPL-3+": "GPL-3.0-or-later", "ISC": "ISC",
  "LGPL-2": "LGPL-2.0-only", "LGPL-2+": "LGPL-2.0-or-later", "LGPL-2.1": "LGPL-2.1-only",
  "LGPL-2.1+": "LGPL-2.1-or-later", "LGPL-3+": "LGPL-3.0-or-later", "MPL-2.0": "MPL-2.0",
  "OpenLDAP-2.8": "OLDAP-2.8", "PostgreSQL": "PostgreSQL", "X11": "X11", "Zlib": "Zlib", "zlib": "Zlib"
}[.] // "NOASSERTION";
def table: split("\n") | map(select(. != "") | split("\t"));
def id: gsub("[^A-Za-z0-9.]"; "-");
def package_id: "SPDXRef-Package-" + id;

($files | table | to_entries | map({id: "SPDXRef-File-\(.key + 1)", path: .value[0], sha1: .value[1], sha256: .value[2],
                                    owner: .value[3]})) as $file_list
| ($packages | table | map({name: .[0], version: .[1], source: .[2], architecture: .[3], maintainer: .[4], code: .[5],
                            license: .[6], licenses: .[7]})) as $package_list
| ($file_list[] | select(.path == "/usr/bin/" + $program) | .id) as $binary
| {
  spdxVersion: "SPDX-2.3",
  dataLicense: "CC0-1.0",
  SPDXID: "SPDXRef-DOCUMENT",
  name: "paymesh/\($program)",
  documentNamespace: "https://paymesh.dev/spdx/\($program)-\($version)-\($revision)-\($content)",
  creationInfo: {created: $created, creators: ["Organization: Paymesh", "Tool: deploy/images/bill"]},
  documentDescribes: ["SPDXRef-Image"],
  packages: ([{
    SPDXID: "SPDXRef-Image", name: "paymesh/\($program)", versionInfo: $version, primaryPackagePurpose: "CONTAINER",
    supplier: "Organization: Paymesh", downloadLocation: "NOASSERTION", filesAnalyzed: false,
    sourceInfo: "revision \($revision)",
    licenseConcluded: "NOASSERTION", licenseDeclared: "NOASSERTION", copyrightText: "NOASSERTION"
  }] + ($package_list | map({
    SPDXID: (.name | package_id), name: .name, versionInfo: .version, downloadLocation: "NOASSERTION",
    filesAnalyzed: true, packageVerificationCode: {packageVerificationCodeValue: .code},
    licenseConcluded: "NOASSERTION", copyrightText: "NOASSERTION"
  } + if .name == "paymesh" then {
    primaryPackagePurpose: "APPLICATION", supplier: "Organization: Paymesh", licenseDeclared: "Apache-2.0",
    sourceInfo: "revision \($revision)"
  } else {
    primaryPackagePurpose: (if .name | test("^(lib|zlib)") then "LIBRARY" else "OTHER" end), supplier: "Organization: Debian", originator: ("Organization: " + (.maintainer | sub(" <(?<at>[^>]*)>"; " (\(.at))"))),
    sourceInfo: "built by Debian from source package \(.source)",
    licenseDeclared: (.license | spdx_license),
    licenseComments: ("The package's whole terms are /usr/share/doc/\(.name)/copyright"
      + if .licenses == "" then "." else "; Debian's names for what is in it: \(.licenses | split("|") | join(", "))." end),
    externalRefs: [{
      referenceCategory: "PACKAGE-MANAGER", referenceType: "purl",
      referenceLocator: "pkg:deb/debian/\(.name | @uri)@\(.version | @uri)?arch=\(.architecture)&distro=bookworm"
    }]
  } end))),
  files: ($file_list | map({
    SPDXID: .id, fileName: ".\(.path)",
    checksums: [{algorithm: "SHA1", checksumValue: .sha1}, {algorithm: "SHA256", checksumValue: .sha256}],
    licenseConcluded: "NOASSERTION", licenseInfoInFiles: ["NOASSERTION"], copyrightText: "NOASSERTION"
  })),
  relationships: ([{spdxElementId: "SPDXRef-DOCUMENT", relationshipType: "DESCRIBES", relatedSpdxElement: "SPDXRef-Image"}]
    + ($package_list | map({spdxElementId: "SPDXRef-Image", relationshipType: "CONTAINS", relatedSpdxElement: (.name | package_id)}))
    + ($file_list | map({spdxElementId: (.owner | package_id), relationshipType: "CONTAINS", relatedSpdxElement: .id}))
    + ($file_list | map(select(.path | test("^/(usr/)?lib(64)?/.*[.]so")) |
        {spdxElementId: $binary, relationshipType: "DYNAMIC_LINK", relatedSpdxElement: .id})))
}
