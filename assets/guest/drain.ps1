$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
$mark = "$env:ProgramData\morpheus-drained.txt"
function Runs($name) {
  $service = Get-Service -Name ([WildcardPattern]::Escape($name)) -ErrorAction SilentlyContinue
  $service -and $service.Status -eq 'Running'
}
# Lame duck mode, by the server's own signal to its service. It ends by itself.
function Drain($name, $until) {
  $found = @(Get-CimInstance -ClassName Win32_Service | Where-Object { $_.Name -eq $name })[0]
  $program = if ($found.PathName -match '^"([^"]+)"') { $Matches[1] } else { "$($found.PathName)".Split(' ')[0] }
  & $program --signal "ldm=$name" | Out-Null
  while ((Get-Process -Id $found.ProcessId -ErrorAction SilentlyContinue) -and (Get-Date) -lt $until) { Start-Sleep -Milliseconds 300 }
}
function Leave($seconds, $names) {
  $until = (Get-Date).AddSeconds($seconds)
  foreach ($name in $names) {
    if (-not (Runs $name)) { continue }
    [IO.File]::AppendAllText($mark, "$name`n")
    try {
      if ($name -like 'nats*') { Drain $name $until }
      if (Runs $name) { Stop-Service -Name $name -Force -NoWait }
    } catch { [Console]::Error.WriteLine("${name}: $($_.Exception.Message)") }
  }
  while (@($names | Where-Object { Runs $_ }).Count) {
    if ((Get-Date) -ge $until) { exit 1 }
    Start-Sleep -Milliseconds 300
  }
}
function Join {
  if (-not (Test-Path -LiteralPath $mark)) { return }
  $names = @([IO.File]::ReadAllLines($mark) | Where-Object { $_ } | Select-Object -Unique)
  [array]::Reverse($names)
  foreach ($name in $names) { Start-Service -Name $name -ErrorAction SilentlyContinue }
  Remove-Item -LiteralPath $mark
}
