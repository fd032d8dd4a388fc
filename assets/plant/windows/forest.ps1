# nats-server and NimsForest as services, under an account with few rights.

$LocalService = 'NT AUTHORITY\LocalService'

# Downloads a file; one with another sum isn't kept.
function Get-Checked($from, $path) {
  [Net.ServicePointManager]::SecurityProtocol = [Net.ServicePointManager]::SecurityProtocol -bor [Net.SecurityProtocolType]::Tls12
  Invoke-WebRequest -UseBasicParsing -Uri $from.url -OutFile $path
  $sum = (Get-FileHash -LiteralPath $path -Algorithm SHA256).Hash
  if ($sum -ne $from.sha256) {
    Remove-Item -LiteralPath $path -Force
    throw "$($from.url) has the SHA-256 $sum, not $($from.sha256)"
  }
}

# A directory under morpheus' own that the service may write, with what the disc had for it.
function New-ServiceDir($name) {
  $path = Join-Path $Dir $name
  New-Item -ItemType Directory -Force -Path $path | Out-Null
  $from = "$PSScriptRoot\files\$name"
  if (Test-Path -LiteralPath $from) { Copy-Item -Path "$from\*" -Destination $path -Recurse -Force }
  Invoke-Tool 'icacls.exe' "`"$path`" /grant *S-1-5-19:(OI)(CI)M"
  $path
}

function Remove-OldService($name) {
  if (Get-Service -Name $name -ErrorAction SilentlyContinue) {
    Stop-Service -Name $name -Force
    Invoke-Tool 'sc.exe' "delete $name"
    Start-Sleep -Seconds 2
  }
}

function Start-NewService($name, $title, $command) {
  New-Service -Name $name -DisplayName $title -BinaryPathName $command -StartupType Automatic | Out-Null
  Invoke-Tool 'sc.exe' "config $name obj= `"$LocalService`" start= delayed-auto"
  Start-Service -Name $name
}

function Install-Nats {
  $archive = "$Dir\nats-server.zip"
  $unpacked = "$Dir\nats-server.unpacked"
  Get-Checked $Settings.nats $archive
  if (Test-Path -LiteralPath $unpacked) { Remove-Item -LiteralPath $unpacked -Recurse -Force }
  Expand-Archive -LiteralPath $archive -DestinationPath $unpacked
  $program = @(Get-ChildItem -LiteralPath $unpacked -Recurse -Filter 'nats-server.exe')
  if ($program.Count -ne 1) { throw "the archive of nats-server has $($program.Count) files nats-server.exe" }
  Remove-OldService 'nats-server'
  New-Item -ItemType Directory -Force -Path "$env:ProgramFiles\nats" | Out-Null
  Copy-Item -LiteralPath $program[0].FullName -Destination "$env:ProgramFiles\nats\nats-server.exe" -Force
  $place = New-ServiceDir 'nats'
  Start-NewService 'nats-server' 'NATS server' "`"$env:ProgramFiles\nats\nats-server.exe`" --config `"$place\nats.conf`""
  Remove-Item -LiteralPath $archive, $unpacked -Recurse -Force
}

# NimsForest's own releases are for Linux alone: this runs a build that somebody made for Windows.
function Install-NimsForest {
  $programs = "$env:ProgramFiles\nimsforest"
  New-Item -ItemType Directory -Force -Path $programs | Out-Null
  Get-Checked $Settings.nimsforest "$programs\forest.exe.new"
  Remove-OldService 'NimsForest'
  Move-Item -LiteralPath "$programs\forest.exe.new" -Destination "$programs\forest.exe" -Force
  $host_program = "$programs\service.exe"
  if (Test-Path -LiteralPath $host_program) { Remove-Item -LiteralPath $host_program -Force }
  Add-Type -Path "$PSScriptRoot\service.cs" -OutputAssembly $host_program -OutputType ConsoleApplication -ReferencedAssemblies 'System.ServiceProcess', 'System.Web.Extensions'
  $place = New-ServiceDir 'nimsforest'
  # A peer list that the guest may read is read anew before each start.
  $registry = if ($Settings.nimsforest.registry) { $Settings.nimsforest.registry } else { '-' }
  $command = "`"$host_program`" NimsForest `"$place\registry.json`" `"$registry`" `"$programs\forest.exe`" run"
  New-Service -Name 'NimsForest' -DisplayName 'NimsForest' -BinaryPathName $command -StartupType Automatic | Out-Null
  $key = 'HKLM:\SYSTEM\CurrentControlSet\Services\NimsForest'
  $environment = @("NATS_CLUSTER_NODE_INFO=$place\node-info.json", "NATS_CLUSTER_REGISTRY=$place\registry.json", "JETSTREAM_DIR=$place\jetstream")
  New-ItemProperty -Path $key -Name Environment -PropertyType MultiString -Value $environment -Force | Out-Null
  Invoke-Tool 'sc.exe' "config NimsForest obj= `"$LocalService`" start= delayed-auto"
  Invoke-Tool 'sc.exe' 'failure NimsForest reset= 3600 actions= restart/10000/restart/30000/restart/60000'
  Invoke-Tool 'sc.exe' 'failureflag NimsForest 1'
  Start-Service -Name 'NimsForest'
}
