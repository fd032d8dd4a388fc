# The card's driver, and programs.

# QEMU's own displays: 1234, 1AF4 (virtio), 1B36 (QXL); 15AD is VMware's.
$Virtual = 'VEN_(1234|1AF4|1B36|15AD)'

# A real card, with driver or without: PCI class 03 is a display.
function Find-Card {
  Get-CimInstance -ClassName Win32_PnPEntity | Where-Object {
    $_.PNPDeviceID -like 'PCI\VEN_*' -and $_.PNPDeviceID -notmatch $Virtual -and ($_.CompatibleID -like 'PCI\CC_03*')
  } | Select-Object -First 1
}

# A real card whose driver runs; Microsoft's basic driver is none.
function Get-Card {
  Get-CimInstance -ClassName Win32_VideoController | Where-Object {
    $_.PNPDeviceID -like 'PCI\VEN_*' -and $_.PNPDeviceID -notmatch $Virtual -and $_.ConfigManagerErrorCode -eq 0 -and $_.InfFilename -ne 'display.inf'
  } | Select-Object -First 1
}

function Wait-Card {
  for ($n = 0; $n -lt 30; $n++) {
    if (Find-Card) { return $true }
    Start-Sleep -Seconds 10
  }
  $false
}

# Drivers of NVIDIA's and AMD's cards are in no source that winget has; Windows Update has both.
function Install-CardDriver {
  $until = (Get-Date).AddMinutes(40)
  while (-not (Get-Card)) {
    if ((Get-Date) -gt $until) {
      throw 'Windows Update has no driver for the card that works; install the one of its vendor'
    }
    $restart = $false
    try { $restart = Update-Drivers } catch { Write-Host "Windows Update: $($_.Exception.Message)" }
    if ($restart -and -not (Get-Card) -and -not (Test-Done 'driver-restart')) {
      Set-Done 'driver-restart'
      Tell-Progress 'restarting for the driver of the card'
      Restart-Computer -Force
      Start-Sleep -Seconds 600
    }
    if (-not (Get-Card)) { Start-Sleep -Seconds 30 }
  }
}

# Installs what Windows Update has for displays; whether it wants a restart. What it calls optional, as drivers of
# vendors often are, is asked for by a search of its own (IUpdateSearcher::Search, "BrowseOnly").
function Update-Drivers {
  $session = New-Object -ComObject Microsoft.Update.Session
  $wanted = New-Object -ComObject Microsoft.Update.UpdateColl
  foreach ($optional in '', ' and BrowseOnly=1') {
    $found = $session.CreateUpdateSearcher().Search("IsInstalled=0 and Type='Driver'$optional")
    foreach ($update in $found.Updates) {
      if ($update.DriverClass -match 'Display|Video') {
        if (-not $update.EulaAccepted) { $update.AcceptEula() }
        $wanted.Add($update) | Out-Null
      }
    }
    if ($wanted.Count -gt 0) { break }
  }
  if ($wanted.Count -eq 0) { return $false }
  $loader = $session.CreateUpdateDownloader()
  $loader.Updates = $wanted
  $loader.Download() | Out-Null
  $installer = $session.CreateUpdateInstaller()
  $installer.Updates = $wanted
  $installer.Install().RebootRequired
}

# winget comes with the App Installer, which Windows sets up some minutes after the first logon of each user. Where it
# doesn't come it is installed.
function Wait-Winget {
  $path = "$env:LOCALAPPDATA\Microsoft\WindowsApps\winget.exe"
  for ($n = 0; $n -lt 90; $n++) {
    if (Test-Path -LiteralPath $path) {
      & $path --version | Write-Host
      if ($LASTEXITCODE -eq 0) { return }
    }
    if ($n -eq 36) {
      try { Install-Winget } catch { Write-Host $_.Exception.Message }
    } elseif ($n % 12 -eq 6) {
      try { Add-AppxPackage -RegisterByFamilyName -MainPackage 'Microsoft.DesktopAppInstaller_8wekyb3d8bbwe' } catch { Write-Host $_.Exception.Message }
    }
    Start-Sleep -Seconds 10
  }
  throw 'winget did not come within 15 minutes; install the App Installer from the Microsoft Store'
}

# Microsoft's own way for a Windows without it ("Use WinGet to install and manage applications", Windows Sandbox).
function Install-Winget {
  [Net.ServicePointManager]::SecurityProtocol = [Net.ServicePointManager]::SecurityProtocol -bor [Net.SecurityProtocolType]::Tls12
  Install-PackageProvider -Name NuGet -Force | Out-Null
  Install-Module -Name Microsoft.WinGet.Client -Repository PSGallery -Force | Out-Null
  Repair-WinGetPackageManager -AllUsers | Out-Null
}

# The terms of the programs are accepted on the person's behalf, who chose them. -1978335135: it is there already;
# -1978335189: and of the newest version (winget-cli, "Return codes").
function Install-App($id) {
  $winget = "$env:LOCALAPPDATA\Microsoft\WindowsApps\winget.exe"
  if (-not (Test-Path -LiteralPath $winget)) { throw 'there is no winget' }
  & $winget install --id $id --exact --source winget --silent --accept-package-agreements --accept-source-agreements --disable-interactivity | Write-Host
  if (@(0, -1978335135, -1978335189) -notcontains $LASTEXITCODE) { throw "winget install $id ended with $LASTEXITCODE" }
}

# Steam isn't lost with winget: Valve's own installer is the way out.
function Install-Steam {
  try { Install-App 'Valve.Steam'; return } catch { Write-Host $_.Exception.Message }
  Install-Signed 'https://cdn.akamai.steamstatic.com/client/installer/SteamSetup.exe' 'Valve Corp.' '/S'
}

# An installer whose sum nobody can know beforehand is run only if its maker has signed it.
function Install-Signed($url, $maker, $arguments) {
  $path = "$Dir\installer.exe"
  [Net.ServicePointManager]::SecurityProtocol = [Net.ServicePointManager]::SecurityProtocol -bor [Net.SecurityProtocolType]::Tls12
  Invoke-WebRequest -UseBasicParsing -Uri $url -OutFile $path
  try {
    $signature = Get-AuthenticodeSignature -LiteralPath $path
    if ($signature.Status -ne 'Valid') { throw "${url}: its signature is $($signature.Status); it isn't run" }
    $signer = $signature.SignerCertificate.GetNameInfo('SimpleName', $false)
    if ($signer -ne $maker) { throw "$url is signed by $signer, not by $maker; it isn't run" }
    Invoke-Tool $path $arguments
  } finally { Remove-Item -LiteralPath $path -Force }
}

# Which ports it uses its maker doesn't publish: the streamer's programs are let in on any, from the home's networks.
function Install-VirtualDesktop {
  Install-App 'VirtualDesktop.Streamer'
  Get-NetFirewallRule -Group 'morpheus' -ErrorAction SilentlyContinue | Where-Object { $_.DisplayName -like 'Virtual Desktop*' } | Remove-NetFirewallRule
  foreach ($program in Get-ChildItem -LiteralPath "$env:ProgramFiles\Virtual Desktop Streamer" -Filter '*.exe') {
    foreach ($protocol in 'TCP', 'UDP') {
      New-NetFirewallRule -DisplayName "Virtual Desktop: $($program.BaseName) ($protocol)" -Group 'morpheus' -Direction Inbound -Action Allow -Profile Any -Protocol $protocol -Program $program.FullName -RemoteAddress $HomeNetworks | Out-Null
    }
  }
}
