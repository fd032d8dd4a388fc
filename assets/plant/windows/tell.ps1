# How far the set-up is, in files that morpheus reads through the guest agent: progress.json and ready.json.

# A file is written whole beside its place and moved there: nobody reads half of it. UTF-8 without a mark.
function Write-Whole($name, $value) {
  $path = Join-Path $Dir $name
  [IO.File]::WriteAllText("$path.new", (ConvertTo-Json $value -Depth 4), (New-Object Text.UTF8Encoding $false))
  Move-Item -LiteralPath "$path.new" -Destination $path -Force
}

function Test-Done($name) { Test-Path -LiteralPath "$Dir\done\$name" }

function Set-Done($name) {
  New-Item -ItemType Directory -Force -Path "$Dir\done" | Out-Null
  New-Item -ItemType File -Force -Path "$Dir\done\$name" | Out-Null
}

function Tell-Progress($doing, $problem = $null) {
  $part = 1
  if (Test-Path -LiteralPath "$Dir\done") { $part += @(Get-ChildItem -LiteralPath "$Dir\done").Count }
  Write-Host "$([Math]::Min($part, $Of))/$Of $doing"
  Write-Whole 'progress.json' ([ordered]@{ doing = $doing; part = [Math]::Min($part, $Of); of = $Of; error = $problem })
}

# What went wrong and can be done later by hand.
function Add-Trouble($words) {
  [IO.File]::AppendAllText("$Dir\troubles.txt", "$words`n")
}

function Get-Troubles {
  if (Test-Path -LiteralPath "$Dir\troubles.txt") {
    [IO.File]::ReadAllLines("$Dir\troubles.txt") | Where-Object { $_ }
  }
}

function Get-Versions {
  $versions = [ordered]@{}
  $looks = [ordered]@{
    'windows' = {
      $key = Get-ItemProperty -Path 'HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion'
      "$($key.DisplayVersion) $($key.CurrentBuild).$($key.UBR)"
    }
    'guest-agent' = { (Get-Item -LiteralPath "$env:ProgramFiles\Qemu-ga\qemu-ga.exe").VersionInfo.ProductVersion }
    'driver' = { "$((Get-Card).DriverVersion)" }
    'steam' = { (Get-Item -LiteralPath "${env:ProgramFiles(x86)}\Steam\steam.exe").VersionInfo.ProductVersion }
    'virtual-desktop' = { (Get-Item -LiteralPath "$env:ProgramFiles\Virtual Desktop Streamer\VirtualDesktop.Streamer.exe").VersionInfo.ProductVersion }
    'nats-server' = { "$(& "$env:ProgramFiles\nats\nats-server.exe" --version)" -replace '^nats-server: v', '' }
    'nimsforest' = { "$(& "$env:ProgramFiles\nimsforest\forest.exe" version)" -replace '^forest version ', '' }
  }
  foreach ($name in $looks.Keys) {
    try {
      $version = "$(& $looks[$name])".Trim()
      if ($version) { $versions[$name] = $version }
    } catch { Write-Host "no version of ${name}: $($_.Exception.Message)" }
  }
  $versions
}

function Tell-Ready($stage) {
  Write-Whole 'ready.json' ([ordered]@{
    plant = $Settings.plant
    stage = $stage
    versions = Get-Versions
    errors = @(Get-Troubles)
  })
}

# Tries something several times, with longer and longer pauses: a network may need a while.
function Repeat($times, $what) {
  for ($n = 1; ; $n++) {
    try { & $what; return } catch {
      if ($n -ge $times) { throw }
      Write-Host "again in $(20 * $n) s: $($_.Exception.Message)"
      Start-Sleep -Seconds (20 * $n)
    }
  }
}

# Runs a program and waits for it. An exit code that isn't expected is an error.
function Invoke-Tool($file, $arguments, $good = @(0)) {
  $run = Start-Process -FilePath $file -ArgumentList $arguments -Wait -PassThru -WindowStyle Hidden
  if ($good -notcontains $run.ExitCode) { throw "$file ended with $($run.ExitCode)" }
}
