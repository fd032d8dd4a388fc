# Sets this guest up. Made by morpheus; log: C:\ProgramData\morpheus\setup.log
#
# The first logon calls it with -Begin from the disc: it takes the files over and has a task call it at each logon.
# Every part is passed once. What the guest can be used without is tried, noted if it fails, and passed over.
param([switch]$Begin)

$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
Set-StrictMode -Version 2
$Settings = [IO.File]::ReadAllText("$PSScriptRoot\settings.json") | ConvertFrom-Json
$Dir = $Settings.directory
$Task = 'morpheus setup'

foreach ($script in 'tell', 'system', 'apps', 'forest') { . "$PSScriptRoot\$script.ps1" }

function Start-Setup {
  New-Item -ItemType Directory -Force -Path $Dir | Out-Null
  # SYSTEM and administrators alone; by SID, for groups have other names in other languages.
  Invoke-Tool 'icacls.exe' "`"$Dir`" /inheritance:r /grant *S-1-5-18:(OI)(CI)F *S-1-5-32-544:(OI)(CI)F"
  if (Test-Path -LiteralPath "$Dir\setup") { Remove-Item -LiteralPath "$Dir\setup" -Recurse -Force }
  Copy-Item -Path $PSScriptRoot -Destination "$Dir\setup" -Recurse -Force
  Invoke-Tool 'attrib.exe' "-r `"$Dir\setup\*`" /s /d"
  $arguments = "-NoProfile -NonInteractive -ExecutionPolicy Bypass -WindowStyle Minimized -File `"$Dir\setup\setup.ps1`""
  $action = New-ScheduledTaskAction -Execute 'powershell.exe' -Argument $arguments
  $me = [Security.Principal.WindowsIdentity]::GetCurrent().Name
  $trigger = New-ScheduledTaskTrigger -AtLogOn -User $me
  $principal = New-ScheduledTaskPrincipal -UserId $me -LogonType Interactive -RunLevel Highest
  $options = New-ScheduledTaskSettingsSet -MultipleInstances IgnoreNew -ExecutionTimeLimit ([TimeSpan]::Zero) -AllowStartIfOnBatteries -DontStopIfGoingOnBatteries
  Register-ScheduledTask -TaskName $Task -Action $action -Trigger $trigger -Principal $principal -Settings $options -Force | Out-Null
  Start-ScheduledTask -TaskName $Task
}

function Pass-Parts($parts) {
  foreach ($part in $parts) {
    if (Test-Done $part.Name) { continue }
    Tell-Progress $part.Doing
    try {
      Repeat $part.Times $part.Run
    } catch {
      $why = "$($part.Name): $($_.Exception.Message)"
      Write-Host $why
      if ($part.Needed) { throw $why }
      Add-Trouble $why
    }
    Set-Done $part.Name
  }
}

$Base = @(
  @{ Name = 'system'; Doing = 'setting power, accounts and firewall'; Run = { Set-System }; Times = 1; Needed = $true },
  @{ Name = 'tools'; Doing = 'installing drivers and guest agent'; Run = { Install-GuestTools }; Times = 2; Needed = $true },
  @{ Name = 'logon'; Doing = 'keeping the automatic logon'; Run = { Protect-Logon }; Times = 1; Needed = $false }
)
$Rest = @(
  @{ Name = 'driver'; Doing = 'installing the driver of the card'; Run = { Install-CardDriver }; Times = 1; Needed = $false },
  @{ Name = 'winget'; Doing = 'waiting for the package manager'; Run = { Wait-Winget }; Times = 1; Needed = $false },
  @{ Name = 'steam'; Doing = 'installing Steam'; Run = { Install-Steam }; Times = 4; Needed = $false }
)
if ($Settings.virtual_desktop) {
  $Rest += @{ Name = 'virtual-desktop'; Doing = 'installing Virtual Desktop'; Run = { Install-VirtualDesktop }; Times = 4; Needed = $false }
}
if ($Settings.nats) {
  $Rest += @{ Name = 'nats'; Doing = 'installing nats-server'; Run = { Install-Nats }; Times = 4; Needed = $false }
}
if ($Settings.nimsforest) {
  $Rest += @{ Name = 'nimsforest'; Doing = 'installing NimsForest'; Run = { Install-NimsForest }; Times = 4; Needed = $false }
}
$Rest += @{ Name = 'secrets'; Doing = 'removing what is secret'; Run = { Remove-Secrets }; Times = 2; Needed = $false }
$Of = $Base.Count + $Rest.Count + 1

if ($Begin) {
  Start-Setup
  exit 0
}
Start-Transcript -Path "$Dir\setup.log" -Append | Out-Null
try {
  Pass-Parts $Base
  if (-not (Test-Done 'base')) {
    Tell-Ready 'base'
    Set-Done 'base'
    Tell-Progress 'ready for the card'
  } elseif (-not (Wait-Card)) {
    Tell-Progress 'waiting for the card'
  } else {
    Pass-Parts $Rest
    Tell-Ready 'ready'
    Set-Done 'ready'
    Tell-Progress 'ready'
    Unregister-ScheduledTask -TaskName $Task -Confirm:$false
    Remove-Item -Path "$Dir\setup" -Recurse -Force
  }
} catch {
  Tell-Progress 'stopped' $_.Exception.Message
  throw
} finally {
  Stop-Transcript | Out-Null
}
