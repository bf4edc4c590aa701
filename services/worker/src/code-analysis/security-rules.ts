import type { RuleBook } from './finding.ts'

const argumentList =
  'Pass the program and its arguments as a list, without a shell, and check values that come from outside against a list of allowed ones.'
const parameters =
  'Use the parameters of the database driver (?, $1, :name) and never put values into the text of a statement.'

export const securityRules = {
  'security/secret': {
    severity: 'critical',
    title: 'A credential in the repository',
    hint: 'Revoke it at its issuer now: removing the line does not take it out of the history. Then read it from the environment or a secret store.',
  },
  'security/private-key': {
    severity: 'critical',
    title: 'A private key in the repository',
    hint: 'Replace the key pair now: removing the file does not take it out of the history. Keep private keys in a secret store.',
  },
  'security/hardcoded-secret': {
    severity: 'medium',
    title: 'What looks like a hard-coded secret',
    hint: 'Read it from the environment or a secret store. If it is no secret, name it so that nobody takes it for one.',
  },
  'security/sensitive-file': {
    severity: 'medium',
    title: 'A file that is usually secret',
    hint: 'Remove it from the repository, replace what it contained, and add its name to .gitignore.',
  },
  'security/eval': {
    severity: 'high',
    title: 'Text is run as code',
    hint: 'Parse the text as data (JSON.parse, a table of functions) and do not run it.',
  },
  'security/command-injection': {
    severity: 'high',
    title: 'A shell command is put together from values',
    hint: argumentList,
  },
  'security/shell': { severity: 'medium', title: 'A program is started through a shell', hint: argumentList },
  'security/sql-injection': {
    severity: 'high',
    title: 'A SQL statement is put together from values',
    hint: parameters,
  },
  'security/html-injection': {
    severity: 'medium',
    title: 'Text becomes HTML without escaping',
    hint: "Set textContent, use the framework's escaping, or clean the HTML with a sanitiser such as DOMPurify.",
  },
  'security/path-traversal': {
    severity: 'high',
    title: 'A file path comes from a request',
    hint: 'Resolve the path and check that it still lies inside the folder it is meant for before opening it.',
  },
  'security/open-redirect': {
    severity: 'medium',
    title: 'A redirect goes where the request says',
    hint: 'Redirect only to paths of your own or to a list of allowed addresses.',
  },
  'security/request-forgery': {
    severity: 'medium',
    title: 'A request goes to an address from a request',
    hint: 'Allow a fixed list of hosts, and refuse private and link-local addresses after resolving the name.',
  },
  'security/regex-injection': {
    severity: 'medium',
    title: 'A regular expression comes from a request',
    hint: 'Escape the text, or compare strings directly; a pattern from outside can stop the process.',
  },
  'security/tls-off': {
    severity: 'high',
    title: 'TLS certificates are not checked',
    hint: 'Leave verification on and add the certificate authority you need (ca, NODE_EXTRA_CA_CERTS, REQUESTS_CA_BUNDLE).',
  },
  'security/weak-hash': {
    severity: 'low',
    title: 'A broken hash function',
    hint: 'Use SHA-256 or BLAKE2; for passwords argon2id, scrypt or bcrypt. For a mere checksum say so in the name or with usedforsecurity=False.',
  },
  'security/weak-cipher': {
    severity: 'medium',
    title: 'A weak cipher',
    hint: 'Use an authenticated cipher such as AES-256-GCM or ChaCha20-Poly1305 with a fresh nonce.',
  },
  'security/weak-random': {
    severity: 'medium',
    title: 'A secret from a predictable generator',
    hint: 'Use crypto.randomBytes, crypto.randomUUID, the secrets module, SecureRandom or crypto/rand.',
  },
  'security/unsafe-deserialization': {
    severity: 'high',
    title: 'Untrusted data may create any object',
    hint: 'Use JSON, or the safe loader of the format (yaml.safe_load, PyYAML SafeLoader); never unpickle what comes from outside.',
  },
  'security/xml-entities': {
    severity: 'low',
    title: 'XML is parsed with external entities possible',
    hint: 'Use defusedxml, or switch off DTDs and external entities in the parser.',
  },
  'security/wildcard-message': {
    severity: 'low',
    title: 'A message to a window of any origin',
    hint: 'Name the origin that may read it instead of "*".',
  },
  'security/insecure-cookie': {
    severity: 'low',
    title: 'A cookie that scripts can read or plain HTTP can carry',
    hint: 'Set httpOnly, secure and sameSite.',
  },
  'security/debug-mode': {
    severity: 'medium',
    title: 'Debug mode is on in code',
    hint: 'Switch it on by configuration in development only: debug pages show code and environment, and some run code.',
  },
  'security/bind-all': {
    severity: 'low',
    title: 'Listens on every network interface',
    hint: 'Bind to 127.0.0.1 unless other machines must reach it, and make the address a setting.',
  },
  'security/temp-file': {
    severity: 'low',
    title: 'A predictable temporary file',
    hint: 'Use mkstemp, NamedTemporaryFile, fs.mkdtemp or os.CreateTemp.',
  },
  'security/unsafe-memory': {
    severity: 'medium',
    title: 'A function that writes without a limit',
    hint: 'Use the bounded form (fgets, snprintf, strlcpy) and check the result.',
  },
  'security/electron': {
    severity: 'medium',
    title: 'Web content with the powers of Node',
    hint: 'Leave nodeIntegration off and contextIsolation on, and expose single functions through a preload script.',
  },
  'security/file-inclusion': {
    severity: 'high',
    title: 'A file from a request is included and run',
    hint: 'Choose among fixed files by a table; never include a path from a request.',
  },
  'security/pipe-to-shell': {
    severity: 'medium',
    title: 'A download is run at once',
    hint: 'Download to a file, compare its checksum or signature, and then run it; or install a pinned package.',
  },
  'security/world-writable': {
    severity: 'medium',
    title: 'Permissions for everybody',
    hint: 'Give only the owner or group what they need, such as 750 or 640.',
  },
  'security/odd-executable': {
    severity: 'info',
    title: 'A data file that is marked executable',
    hint: 'Run "git update-index --chmod=-x" on it.',
  },
  'security/ci-untrusted-checkout': {
    severity: 'critical',
    title: 'A privileged workflow checks out foreign code',
    hint: 'Use the pull_request trigger, or never check out and run the head of the pull request under pull_request_target.',
  },
  'security/ci-script-injection': {
    severity: 'high',
    title: 'Text from outside is put into a CI script',
    hint: 'Pass it through env: and use the quoted shell variable; expressions are replaced before the shell sees it.',
  },
  'security/ci-unpinned-action': {
    severity: 'low',
    title: 'A foreign action that can change under you',
    hint: 'Pin it to a full commit hash and let a bot propose updates.',
  },
  'security/ci-broad-permissions': {
    severity: 'medium',
    title: 'A workflow with write access to everything',
    hint: 'List the permissions the job needs; start from "contents: read".',
  },
  'security/docker-root': {
    severity: 'low',
    title: 'The container runs as root',
    hint: 'Create a user and switch to it with USER before CMD or ENTRYPOINT.',
  },
  'security/docker-remote-add': {
    severity: 'medium',
    title: 'ADD fetches a file from the network',
    hint: 'Use ADD --checksum=sha256:… or fetch and verify in one RUN.',
  },
  'security/docker-unpinned': {
    severity: 'low',
    title: 'A base image without a version',
    hint: 'Name a version, best with its digest (image:1.2.3@sha256:…).',
  },
  'security/docker-secret': {
    severity: 'medium',
    title: 'A secret in an image layer',
    hint: 'Use RUN --mount=type=secret; ARG and ENV stay readable in the image.',
  },
  'security/privileged': {
    severity: 'medium',
    title: 'A container with the powers of the host',
    hint: 'Drop privileged, host namespaces and the Docker socket; add single capabilities where they are needed.',
  },
  'security/insecure-lock': {
    severity: 'medium',
    title: 'A locked package comes over plain HTTP',
    hint: 'Use an https registry and write the lockfile again.',
  },
  'security/missing-integrity': {
    severity: 'low',
    title: 'Locked packages without a checksum',
    hint: 'Write the lockfile again with a current package manager.',
  },
  'security/missing-lock': {
    severity: 'low',
    title: 'Dependencies without a lockfile',
    hint: 'Commit the lockfile, so that every machine installs the same code.',
  },
  'security/known-vulnerability': {
    severity: 'high',
    title: 'A dependency with a known vulnerability',
    hint: 'Update to a version that has the fix.',
  },
} as const satisfies RuleBook
