import type { TextPattern } from './text-patterns.ts'

const python = ['Python']
const go = ['Go']
const jvm = ['Java', 'Kotlin', 'Scala', 'Groovy']
const ruby = ['Ruby']
const php = ['PHP']
const c = ['C', 'C++', 'Objective-C']
const shell = ['Shell', 'Dockerfile', 'Makefile', 'YAML']

/** Dangerous calls in languages without a parser here. Low noise comes before completeness. */
export const dangerPatterns: readonly TextPattern[] = [
  {
    rule: 'security/eval',
    languages: python,
    codeOnly: true,
    pattern: /(?<![\w.])(?:eval|exec)\((?!\s*(?:\)|["']))/g,
    message: 'eval or exec runs whatever text it is given.',
    severity: 'medium',
  },
  {
    rule: 'security/command-injection',
    languages: python,
    pattern: /\bos\.(?:system|popen)\(\s*(?:f["']|["'][^"'\n]*["']\s*(?:%|\+|\.format)|\w+\s*\+)/g,
    message: 'os.system or os.popen hands a text with values in it to a shell.',
  },
  {
    rule: 'security/shell',
    languages: python,
    pattern:
      /\bsubprocess\.(?:run|call|Popen|check_call|check_output)\((?:[^()]|\([^()]*\)){0,400}?\bshell\s*=\s*True/g,
    message: 'subprocess with shell=True.',
  },
  {
    rule: 'security/sql-injection',
    languages: python,
    pattern:
      /\.(?:execute|executemany|raw|executescript)\(\s*(?:f(?:"""|"|')\s*(?:SELECT|INSERT|UPDATE|DELETE|DROP)\b[^\n]*\{|(?:"""|"|')\s*(?:SELECT|INSERT|UPDATE|DELETE|DROP)\b[^\n]*(?:"""|"|')\s*(?:%\s*[\w(]|\+|\.format\())/gi,
    message: 'The statement is built with values in its text.',
  },
  {
    rule: 'security/unsafe-deserialization',
    languages: python,
    codeOnly: true,
    pattern: /\b(?:c?[pP]ickle|dill|shelve|marshal|jsonpickle)\.(?:loads?|Unpickler|open|decode)\(/g,
    message: 'Unpickling runs code that the data chooses.',
    severity: 'medium',
  },
  {
    rule: 'security/unsafe-deserialization',
    languages: python,
    codeOnly: true,
    pattern: /\byaml\.(?:unsafe_load|full_load|load)\((?:[^()]|\([^()]*\))*\)/g,
    message: 'yaml.load without a safe loader.',
    confirm: (match) => !/Safe|CLoader\b.*Safe|CSafe/.test(match),
  },
  {
    rule: 'security/tls-off',
    languages: python,
    codeOnly: true,
    pattern:
      /\bverify\s*=\s*False\b|\b_create_unverified_context\(|\.check_hostname\s*=\s*False|\bCERT_NONE\b(?=\s*$)/gm,
    message: 'Certificate verification is switched off.',
  },
  {
    rule: 'security/weak-hash',
    languages: python,
    pattern: /\bhashlib\.(?:md5|sha1)\((?![^)\n]*usedforsecurity\s*=\s*False)/g,
    message: 'MD5 or SHA-1.',
  },
  {
    rule: 'security/weak-random',
    languages: python,
    codeOnly: true,
    pattern:
      /\b\w*(?:token|secret|passw|nonce|salt|otp)\w*\s*=[^\n]*\brandom\.(?:choice|choices|randint|random|sample|getrandbits)\(/gi,
    message: 'The random module is predictable.',
  },
  {
    rule: 'security/debug-mode',
    languages: python,
    codeOnly: true,
    pattern: /\bapp\.run\([^)\n]*\bdebug\s*=\s*True|^DEBUG\s*=\s*True\s*$/gm,
    message: 'Debug mode is on.',
  },
  {
    rule: 'security/xml-entities',
    languages: python,
    codeOnly: true,
    pattern: /\b(?:lxml\.)?etree\.XMLParser\([^)]*resolve_entities\s*=\s*True|\bxml\.sax\.make_parser\(/g,
    message: 'The parser may read what the document names.',
  },
  {
    rule: 'security/temp-file',
    languages: python,
    codeOnly: true,
    pattern: /\btempfile\.mktemp\(/g,
    message: 'Another process can make the file first.',
  },
  {
    rule: 'security/bind-all',
    languages: python,
    pattern: /\.(?:run|bind)\(\s*(?:host\s*=\s*|\(\s*)?["']0\.0\.0\.0["']/g,
    message: 'Binds to 0.0.0.0.',
  },
  {
    rule: 'security/html-injection',
    languages: python,
    codeOnly: true,
    pattern:
      /\bmark_safe\(\s*(?:f?["'][^"'\n]*["']\s*(?:%|\+|\.format)|\w+\s*\+)|\brender_template_string\(\s*(?!["'])/g,
    message: 'Text becomes HTML as it is.',
  },

  {
    rule: 'security/command-injection',
    languages: go,
    pattern:
      /\bexec\.Command(?:Context)?\([^)\n]*"(?:\/bin\/)?(?:ba)?sh"\s*,\s*"-c"\s*,\s*(?:fmt\.Sprintf|\w+\s*\+|"[^"\n]*"\s*\+)/g,
    message: 'A shell is given a text with values in it.',
  },
  {
    rule: 'security/sql-injection',
    languages: go,
    pattern:
      /\.(?:Query|QueryRow|Exec|QueryContext|QueryRowContext|ExecContext|Raw)\([^)\n]*(?:fmt\.Sprintf\(\s*["`]\s*(?:SELECT|INSERT|UPDATE|DELETE)\b|["`]\s*(?:SELECT|INSERT|UPDATE|DELETE)\b[^"`\n]*["`]\s*\+)/gi,
    message: 'The statement is built with values in its text.',
  },
  {
    rule: 'security/tls-off',
    languages: go,
    codeOnly: true,
    pattern: /\bInsecureSkipVerify\s*[:=]\s*true\b/g,
    message: 'InsecureSkipVerify is true.',
  },
  {
    rule: 'security/weak-hash',
    languages: go,
    codeOnly: true,
    pattern: /\b(?:md5|sha1)\.(?:New|Sum)\(/g,
    message: 'MD5 or SHA-1.',
  },
  {
    rule: 'security/weak-cipher',
    languages: go,
    codeOnly: true,
    pattern: /\b(?:des\.New(?:TripleDES)?Cipher|rc4\.NewCipher)\(/g,
    message: 'DES or RC4.',
  },
  {
    rule: 'security/html-injection',
    languages: go,
    codeOnly: true,
    pattern: /\btemplate\.(?:HTML|JS|URL)\(\s*(?!\s*["`])\w/g,
    message: 'The template will not escape this value.',
  },

  {
    rule: 'security/command-injection',
    languages: jvm,
    pattern: /\bgetRuntime\(\)\s*\.exec\(\s*(?:"[^"\n]*"\s*\+|\w+\s*\+)/g,
    message: 'Runtime.exec is given a text with values in it.',
  },
  {
    rule: 'security/sql-injection',
    languages: [...jvm, 'C#'],
    pattern:
      /\b(?:executeQuery|executeUpdate|execute|prepareStatement|createQuery|createNativeQuery|SqlCommand|ExecuteSqlRaw|FromSqlRaw)\(\s*\$?"\s*(?:SELECT|INSERT|UPDATE|DELETE)\b(?:[^"\n]*"\s*\+\s*\w|[^"\n]*\{\w)/gi,
    message: 'The statement is built with values in its text.',
  },
  {
    rule: 'security/unsafe-deserialization',
    languages: jvm,
    codeOnly: true,
    pattern: /\bnew\s+ObjectInputStream\(/g,
    message: 'Java deserialization may create any object.',
    severity: 'medium',
  },
  {
    rule: 'security/unsafe-deserialization',
    languages: ['C#'],
    codeOnly: true,
    pattern: /\bnew\s+(?:BinaryFormatter|NetDataContractSerializer|LosFormatter)\(/g,
    message: 'The formatter may create any object.',
  },
  {
    rule: 'security/weak-hash',
    languages: jvm,
    pattern: /\bMessageDigest\.getInstance\(\s*"(?:MD5|SHA-?1)"/gi,
    message: 'MD5 or SHA-1.',
  },
  {
    rule: 'security/weak-cipher',
    languages: jvm,
    pattern: /\bCipher\.getInstance\(\s*"(?:DES|RC4|AES\/ECB|DESede)/g,
    message: 'A weak cipher or mode.',
  },

  {
    rule: 'security/eval',
    languages: ruby,
    codeOnly: true,
    pattern: /(?<![\w.])(?:eval|instance_eval|class_eval)\s*\(?\s*(?!["'\s)|{]|do\b)\w+/g,
    message: 'eval runs whatever text it is given.',
    severity: 'medium',
  },
  {
    rule: 'security/command-injection',
    languages: ruby,
    pattern:
      /(?<![\w.])(?:system|exec|spawn|IO\.popen|Open3\.\w+)\s*\(?\s*"[^"\n]*#\{[^"\n]*"\s*(?:\)|$)|`[^`\n]*#\{(?!\s*(?:Shellwords|shellescape))[^`\n]*`/gm,
    message: 'A shell is given a text with values in it.',
  },
  {
    rule: 'security/sql-injection',
    languages: ruby,
    pattern: /\.(?:where|find_by_sql|execute|select_all|order|having|joins)\s*\(?\s*"[^"\n]*#\{/g,
    message: 'The condition is built with values in its text.',
  },
  {
    rule: 'security/unsafe-deserialization',
    languages: ruby,
    codeOnly: true,
    pattern: /\b(?:Marshal\.load|YAML\.(?:unsafe_load|load)(?!_file))\(/g,
    message: 'The data may create any object.',
    severity: 'medium',
  },
  {
    rule: 'security/tls-off',
    languages: ruby,
    codeOnly: true,
    pattern: /\bOpenSSL::SSL::VERIFY_NONE\b/g,
    message: 'VERIFY_NONE',
  },

  {
    rule: 'security/eval',
    languages: php,
    codeOnly: true,
    pattern: /(?<![\w>:$])(?:eval|create_function)\s*\(\s*\$/g,
    message: 'eval runs whatever text it is given.',
  },
  {
    rule: 'security/command-injection',
    languages: php,
    pattern:
      /(?<![\w>:$])(?:exec|shell_exec|system|passthru|popen|proc_open)\s*\([^;\n]*\$_(?:GET|POST|REQUEST|COOKIE|SERVER)\b/g,
    message: 'A shell is given a value from the request.',
    severity: 'critical',
  },
  {
    rule: 'security/command-injection',
    languages: php,
    pattern:
      /(?<![\w>:$])(?:exec|shell_exec|system|passthru)\s*\(\s*(?:"[^"\n]*\$(?!_)\w|["'][^"'\n]*["']\s*\.\s*\$)/g,
    message: 'A shell is given a text with values in it.',
    confirm: (match) => !/escapeshell/.test(match),
  },
  {
    rule: 'security/sql-injection',
    languages: php,
    pattern:
      /(?:mysqli?_query|->query|->exec|pg_query)\s*\([^;\n]*(?:SELECT|INSERT|UPDATE|DELETE)\b[^;\n]*(?:\$_(?:GET|POST|REQUEST)|["']\s*\.\s*\$\w+|\{\$\w+)/gi,
    message: 'The statement is built with values in its text.',
  },
  {
    rule: 'security/unsafe-deserialization',
    languages: php,
    codeOnly: true,
    pattern: /(?<![\w>:])unserialize\s*\(\s*\$/g,
    message: 'unserialize may create any object.',
  },
  {
    rule: 'security/file-inclusion',
    languages: php,
    pattern: /\b(?:include|require)(?:_once)?\s*\(?[^;\n]*\$_(?:GET|POST|REQUEST|COOKIE)\b/g,
    message: 'The path comes from the request.',
  },
  {
    rule: 'security/html-injection',
    languages: php,
    pattern: /\becho\s+(?:"[^"\n]*"\s*\.\s*)?\$_(?:GET|POST|REQUEST|COOKIE)\b/g,
    message: 'A value from the request is printed as it is.',
    severity: 'high',
  },

  {
    rule: 'security/unsafe-memory',
    languages: c,
    codeOnly: true,
    pattern: /(?<![\w.>:])(?:gets|strcpy|strcat|sprintf|vsprintf)\s*\(/g,
    message: 'The function writes as much as it is given.',
    severity: 'low',
    confirm: (match) => !/^gets/.test(match),
  },
  {
    rule: 'security/unsafe-memory',
    languages: c,
    codeOnly: true,
    pattern: /(?<![\w.>:])gets\s*\(/g,
    message: 'gets has no limit at all.',
    severity: 'high',
  },
  {
    rule: 'security/temp-file',
    languages: c,
    codeOnly: true,
    pattern: /(?<![\w.>:])(?:mktemp|tmpnam|tempnam)\s*\(/g,
    message: 'Another process can make the file first.',
  },

  {
    rule: 'security/pipe-to-shell',
    languages: shell,
    pattern:
      /\b(?:curl|wget)\b[^\n|;&]*\|\s*(?:sudo\s+(?:-\w+\s+)*)?(?:\/bin\/)?(?:ba|z|da)?sh\b|\b(?:ba)?sh\s+<\(\s*(?:curl|wget)\b|\bsh\s+-c\s+"\$\((?:curl|wget)\b/g,
    message: 'Whoever answers the download runs code here.',
  },
  {
    rule: 'security/world-writable',
    languages: shell,
    pattern: /\bchmod\s+(?:-R\s+)?(?:0?777|a\+rwx|ugo\+rwx|0?666)\b/g,
    message: 'Everybody on the machine may write there.',
  },
  {
    rule: 'security/eval',
    languages: ['Shell'],
    pattern: /(?<![\w-])eval\s+"?\$(?:\{?[1-9@*]|\()/g,
    message: 'eval runs its arguments as code.',
    severity: 'low',
  },
  {
    rule: 'security/tls-off',
    languages: shell,
    pattern:
      /\bcurl\b[^\n|;]*\s(?:-k|--insecure)\b|\bwget\b[^\n|;]*--no-check-certificate|\bgit\b[^\n]*http\.sslVerify[= ]false|\bnpm\b[^\n]*strict-ssl[= ]false/g,
    message: 'The download is not verified.',
    severity: 'medium',
  },
]
